/** How a connection is, told at every change. */
export type ClientStatus =
  /** A socket is being opened, for the `attempt`-th time since there was a connection. */
  | { readonly state: 'connecting'; readonly attempt: number }
  /**
   * Messages flow. `resumed`: not for the first time. `recovered: false`: messages that were sent meanwhile are lost;
   * ask your servers for what you need to know. It is told again when that happens while the connection stands.
   */
  | { readonly state: 'connected'; readonly resumed: boolean; readonly recovered: boolean }
  /** There is no connection; another is tried in so many ms. `why` is for people. */
  | { readonly state: 'waiting'; readonly retryInMs: number; readonly why: string }
  /** It is over: closed by {@link Connection.close} (code 1000), or by the server for good (4500–4999). */
  | { readonly state: 'closed'; readonly code: number; readonly reason: string };
