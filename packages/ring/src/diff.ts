import type { PointIndex } from './point-index.js';
import { type BuiltRing, hashSpace, type Ring } from './ring.js';

/** The keys whose point p satisfies `after < p <= upTo` change hands. Points are unsigned 32-bit integers. */
export interface MovedArc {
  /** Exclusive; -1 for an arc that begins with point 0. */
  readonly after: number;
  /** Inclusive. */
  readonly upTo: number;
  /** Owner before; `undefined` when the ring had no members. */
  readonly from: string | undefined;
  /** Owner afterwards; `undefined` when the ring has no members any more. */
  readonly to: string | undefined;
}

export interface RingDiff {
  /** Ascending, disjoint; neighbours between the same two members are joined. */
  readonly arcs: readonly MovedArc[];
  /** Part of the key space that changes hands, 0–1. */
  readonly share: number;
  /** The same per pair of members, largest first. */
  readonly moves: readonly {
    readonly from: string | undefined;
    readonly to: string | undefined;
    readonly share: number;
  }[];
}

/**
 * What moves when ring `before` is replaced by ring `after`: known before anything moves.
 *
 * @throws RangeError when the two rings hash keys differently.
 */
export function diff(before: Ring, after: Ring): RingDiff {
  if (before.settings.hash !== after.settings.hash) {
    throw new RangeError(
      `the rings hash with ${before.settings.hash} and ${after.settings.hash}; it must be the same hash`,
    );
  }
  return summarise(movedArcs((before as BuiltRing).index, (after as BuiltRing).index));
}

function movedArcs(before: PointIndex, after: PointIndex): readonly MovedArc[] {
  const a = before.unpack();
  const b = after.unpack();
  const arcs: { -readonly [K in keyof MovedArc]: MovedArc[K] }[] = [];
  let start = -1;
  let i = 0;
  let j = 0;
  while (start < hashSpace - 1) {
    // up to the next point of either ring nobody's owner changes
    const upTo = Math.min(a.points[i] ?? hashSpace - 1, b.points[j] ?? hashSpace - 1);
    const from = before.idAt(i);
    const to = after.idAt(j);
    if (from !== to) {
      const last = arcs.at(-1);
      if (last?.upTo === start && last.from === from && last.to === to) last.upTo = upTo;
      else arcs.push({ after: start, upTo, from, to });
    }
    while (i < a.points.length && a.points[i]! <= upTo) i++;
    while (j < b.points.length && b.points[j]! <= upTo) j++;
    start = upTo;
  }
  return arcs;
}

function summarise(arcs: readonly MovedArc[]): RingDiff {
  const shares = new Map<string | undefined, Map<string | undefined, number>>();
  let total = 0;
  for (const { after, upTo, from, to } of arcs) {
    const share = (upTo - after) / hashSpace;
    total += share;
    const received = shares.get(from) ?? new Map<string | undefined, number>();
    shares.set(from, received);
    received.set(to, (received.get(to) ?? 0) + share);
  }
  const moves = [...shares].flatMap(([from, received]) =>
    Array.from(received, ([to, share]) => ({ from, to, share })),
  );
  return { arcs, share: total, moves: moves.sort((x, y) => y.share - x.share) };
}
