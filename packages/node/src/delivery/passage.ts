/** How a message, or a question, has come and what time it has left. */
export interface Passage {
  /** How often it has been forwarded. */
  readonly hops: number;
  /** Whether whoever is asked must answer rather than forward. */
  readonly noForward: boolean;
  /** When the answer is of no use any more, in ms by the clock of the process. */
  readonly deadline: number;
}
