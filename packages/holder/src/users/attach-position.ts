import type { Position } from '@pinwheel/protocol';
import type { Inbox } from '../inbox/inbox.js';
import { type Absorbed, maxStreams } from './user-state.js';

export interface AttachPosition {
  /** What the session is sent follows behind it. */
  readonly seq: number;
  /** Nothing between the session's position and `seq` is lost. */
  readonly recovered: boolean;
}

/** What a node has of a user, for somebody who comes with a position. */
export interface Continuity {
  readonly stream: string;
  readonly inbox: Inbox;
  readonly absorbed: readonly Absorbed[] | undefined;
}

/** Where a session goes on that has `positions`; `undefined` for one that begins at the end. */
export function attachPosition(
  { stream, inbox, absorbed }: Continuity,
  positions: readonly Position[] | undefined,
): AttachPosition {
  const last = inbox.next - 1;
  const oldest = inbox.firstKept - 1;
  if (positions === undefined) return { seq: last, recovered: true };
  const here = positions.find((position) => position.stream === stream);
  if (here !== undefined) {
    // a number that was never given is nobody's position
    if (here.seq > last) return { seq: last, recovered: false };
    return { seq: Math.max(here.seq, oldest), recovered: here.seq >= oldest };
  }
  for (const { stream: merged, from, at } of absorbed ?? []) {
    const there = positions.find((position) => position.stream === merged);
    if (there !== undefined && there.seq >= from - 1 && oldest <= at)
      return { seq: Math.max(at, oldest), recovered: true };
  }
  return { seq: oldest, recovered: false };
}

/**
 * What of other streams is not sent to a session again.
 *
 * @param positions the newest first; beyond a few of them the older ones are let go of.
 * @returns the newest last, as what is merged is added.
 */
export function coversOf(positions: readonly Position[]): readonly Position[] | undefined {
  return positions.length === 0 ? undefined : positions.slice(0, maxStreams + 1).reverse();
}

/** Whether a session that covers these positions has had a message that stood at those origins. */
export function isCovered(origins: readonly Position[], covers: readonly Position[] | undefined): boolean {
  if (covers === undefined) return false;
  return origins.some(({ stream, seq }) =>
    covers.some((position) => position.stream === stream && position.seq >= seq),
  );
}

/** Whether a session with these positions in `stream` has yet to hear of something that it lacks. */
export function hasGap(
  gapAt: number | null | undefined,
  stream: string,
  positions: readonly Position[],
): boolean {
  if (gapAt === null || gapAt === undefined) return false;
  return !positions.some((position) => position.stream === stream && position.seq >= gapAt);
}

/**
 * A position in `stream` from here on shows that a session with these positions has heard of a gap that it is told as it
 * goes on behind `seq`: one that stood there before stands there still when it has not.
 */
export function heardFrom(seq: number, stream: string, positions: readonly Position[]): number {
  const here = positions.find((position) => position.stream === stream);
  return Math.max(seq, (here?.seq ?? -1) + 1);
}
