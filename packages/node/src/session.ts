import type { CloseCode, Message } from '@pinwheel/protocol';

/** What the holder of a user knows of one of the user's clients, whatever way it is reached by. */
export interface Session {
  readonly id: string;
  readonly user: string;
  /** When it began, in ms since the epoch. */
  readonly since: number;
  /** Id of the edge it came through; `undefined` for a client that came directly. */
  readonly edge: string | undefined;
  /**
   * Writes some messages of a batch, in order and all or none of each.
   *
   * @param picked places in `batch`.
   * @param written counts, by place in the batch, raised by one for each message that was taken.
   */
  write(batch: readonly Message[], picked: readonly number[], written: Uint16Array): void;
  /** Closes it after what was written; the session table learns it at once. Harmless on a closed one. */
  close(code: Pick<CloseCode, 'code' | 'name'>, reason: string): void;
}
