import type { Position } from '@pinwheel/protocol';

/** A message that is kept. Its data is a view that the next append may move. */
export interface Kept {
  readonly seq: number;
  readonly id: string;
  readonly binary: boolean;
  readonly data: Uint8Array;
  /** Where it stood in the streams that were merged into this one. */
  readonly origins: readonly Position[];
}

/** An id that has been seen, and what became of it. */
export interface SeenId {
  readonly id: string;
  readonly sessions: number;
  /** Older nodes do not say it: somewhere before what is kept. */
  readonly seq?: number;
}
