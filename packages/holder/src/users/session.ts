import type { CloseCode, Message } from '@pinwheel/protocol';

/** How a client is told that its session is over. */
export type Dismissal = Pick<CloseCode, 'code' | 'reason'>;

/** What the holder of a user knows of one of the user's clients, whatever way it is reached by. */
export interface Session {
  /** `link`: it can come back and is handed over with its user. `direct`: it ends with its socket. */
  readonly kind: 'direct' | 'link';
  readonly id: string;
  readonly user: string;
  /** When it began, in ms since the epoch. */
  readonly since: number;
  /** Id of the edge it came through; `undefined` for a client that came directly. */
  readonly edge: string | undefined;
  /** Whether a message can be written to it now. */
  readonly isLive: boolean;
  /**
   * Writes some messages of a batch, in order and all or none of each.
   *
   * @param picked places in `batch`.
   * @param firstSeq the number of the first of them in the user's stream; the others follow.
   * @param written counts, by place in the batch, raised by one for each message that was taken.
   */
  write(batch: readonly Message[], picked: readonly number[], firstSeq: number, written: Uint16Array): void;
  /** Closes it after what was written; the table of users learns it at once. Harmless on a closed one. */
  close(code: Pick<CloseCode, 'code' | 'name'>, reason: string): void;
}
