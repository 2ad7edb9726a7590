import type { Position } from '@pinwheel/protocol';
import type { SeenId } from '../inbox/kept-message.js';

/** A user as it travels between nodes, in JSON. */
export interface UserState {
  readonly stream: string;
  /** The seq of the next message. */
  readonly next: number;
  readonly kept: readonly KeptState[];
  readonly seen: readonly SeenId[];
  readonly sessions: readonly SessionState[];
  /** Streams that were merged into this one. */
  readonly absorbed: readonly Absorbed[];
  /** Whether messages of those had been let go of before. */
  readonly isPartial: boolean;
  /** Members that have yet to say whether they have the user, too. */
  readonly contested: readonly string[];
}

export interface KeptState {
  readonly seq: number;
  readonly id: string;
  readonly binary: boolean;
  readonly base64: string;
  readonly origins: readonly Position[];
}

/** A stream that was merged: whoever had everything of it before `from` misses nothing that stands behind `at`. */
export interface Absorbed {
  readonly stream: string;
  readonly from: number;
  readonly at: number;
}

export interface SessionState {
  readonly key: string;
  readonly edge: string;
  readonly since: number;
  readonly acknowledges: boolean;
  readonly epoch: number;
  readonly acked: number;
  /** It was sent what stands behind this seq. */
  readonly begins: number;
  /** Something is lost, and a position from here on shows that it has heard of that. */
  readonly gapAt: number | null;
  readonly taken: number;
  readonly announced: boolean;
  readonly covers: readonly Position[];
  readonly former: readonly Position[];
  /** Its edge is told to bring it along. */
  readonly isComing: boolean;
}

/** A session as it travels, with the most streams and the longest names. */
export const mostSessionBytes = 2500;
/** How many streams a session's position and a user's history may name; older ones go first. */
export const maxStreams = 4;
