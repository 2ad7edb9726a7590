export interface InboxLimits {
  /** Most messages that are kept for one user. */
  readonly maxMessages: number;
  /** Most bytes that are kept for one user, about 30 for each message beside its data. */
  readonly maxBytes: number;
}
