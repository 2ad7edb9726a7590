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

/** What moves when ring `before` is replaced by ring `after`: known before anything moves. */
export function diff(before: Ring, after: Ring): RingDiff {
  const a = (before as BuiltRing).index.points;
  const b = (after as BuiltRing).index.points;
  const arcs: MovedArc[] = [];
  let start = -1;
  let i = 0;
  let j = 0;
  while (start < hashSpace - 1) {
    while (i < a.length && a[i]! <= start) i++;
    while (j < b.length && b[j]! <= start) j++;
    // up to the next point of either ring nobody's owner changes
    const upTo = Math.min(a[i] ?? hashSpace - 1, b[j] ?? hashSpace - 1);
    const from = before.ownerOfHash(upTo);
    const to = after.ownerOfHash(upTo);
    if (from !== to) append(arcs, { after: start, upTo, from, to });
    start = upTo;
  }
  return summarise(arcs);
}

function append(arcs: MovedArc[], arc: MovedArc): void {
  const last = arcs.at(-1);
  if (last !== undefined && last.upTo === arc.after && last.from === arc.from && last.to === arc.to) {
    arcs[arcs.length - 1] = { ...last, upTo: arc.upTo };
  } else {
    arcs.push(arc);
  }
}

function summarise(arcs: readonly MovedArc[]): RingDiff {
  const byPair = new Map<string, { from: string | undefined; to: string | undefined; share: number }>();
  let total = 0;
  for (const { after, upTo, from, to } of arcs) {
    const share = (upTo - after) / hashSpace;
    total += share;
    const pair = `${from ?? ''} ${to ?? ''}`;
    const move = byPair.get(pair) ?? { from, to, share: 0 };
    byPair.set(pair, { ...move, share: move.share + share });
  }
  return { arcs, share: total, moves: [...byPair.values()].sort((x, y) => y.share - x.share) };
}
