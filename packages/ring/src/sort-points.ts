import { buckets, PointIndex } from './point-index.js';

/** A member and its points, in any order. */
export interface Placed {
  readonly id: string;
  readonly points: Uint32Array;
}

/**
 * Indexes the points of all members: a counting sort by bucket, and by insertion inside a bucket.
 *
 * @param members in the order of their ids.
 */
export function sortPoints(members: readonly Placed[]): PointIndex {
  const starts = new Int32Array(buckets + 1);
  for (const { points } of members) {
    for (const point of points) starts[(point >>> 16) + 1]!++;
  }
  for (let bucket = 0; bucket < buckets; bucket++) starts[bucket + 1]! += starts[bucket]!;
  const entries = new Int32Array(starts[buckets]! + 1);
  const ends = starts.slice(0, buckets);
  members.forEach(({ points }, slot) => {
    for (const point of points) {
      const bucket = point >>> 16;
      insert(entries, starts[bucket]!, ends[bucket]!++, (point << 16) | slot);
    }
  });
  return new PointIndex(
    members.map((member) => member.id),
    starts,
    entries,
  );
}

/** Puts an entry in its place among those from `start` up to `end`. Slots are in the order of ids here. */
function insert(entries: Int32Array, start: number, end: number, entry: number): void {
  let at = end;
  for (; at > start && entries[at - 1]! >>> 0 > entry >>> 0; at--) entries[at] = entries[at - 1]!;
  entries[at] = entry;
}
