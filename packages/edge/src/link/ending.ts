/** An end of a session of which its node has yet to hear, or to have its say. */
export type Ending =
  /** Its edge drains: its node is to close it, with this reason, once the client has everything. */
  | { readonly kind: 'leaves'; readonly reason: string }
  /** Its client has ended it: its node is told once it has everything from the client. */
  | { readonly kind: 'parts'; readonly code: number; readonly reason: string };
