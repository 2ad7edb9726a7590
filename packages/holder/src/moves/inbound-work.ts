/** The application's work for a user, as far as a handoff has to wait for it. */
export interface InboundWork {
  /** Begins nothing more for the user; a promise when something is under way, which resolves when that is over. */
  hold(user: string): Promise<void> | undefined;
  /** Goes on, or, when the user has left, drops what waited: its edge sends it again to the new holder. */
  letGo(user: string, hasLeft: boolean): void;
}
