/** The upper half of a point is its bucket. */
export const buckets = 2 ** 16;

/**
 * All points of a ring in ascending order, with the member each belongs to.
 *
 * A look-up touches as little memory as it can, because what it costs is cache misses: the upper 16 bits of a
 * point choose a bucket, so an entry needs only the lower 16 beside the 16 of its owner. Half a million points
 * are 2.3 MB, and a look-up reads one bucket start and, mostly, one cache line of entries.
 */
export class PointIndex {
  /** Ids of the members by slot. A slot keeps its member in rings built upon one another; one whose member left is free. */
  readonly ids: readonly (string | undefined)[];
  /** Bucket b has the entries from `starts[b]` up to `starts[b + 1]`. */
  readonly starts: Int32Array;
  /**
   * `lower half of the point << 16 | slot of its owner`, ascending by point, equal points by the owners' ids.
   * One entry follows the last: the first again, which is where the ring goes round.
   */
  readonly entries: Int32Array;

  constructor(ids: readonly (string | undefined)[], starts: Int32Array, entries: Int32Array) {
    this.ids = ids;
    this.starts = starts;
    this.entries = entries;
    entries[entries.length - 1] = entries[0]!;
  }

  /** Number of points. */
  get size(): number {
    return this.entries.length - 1;
  }

  /** Position of the first point at or after a hash, 0 to `size`; `size` stands for the first point again. */
  find(hash: number): number {
    const bucket = (hash >>> 16) & 0xffff;
    const lower = hash & 0xffff;
    const end = this.starts[bucket + 1]!;
    let at = this.starts[bucket]!;
    while (at < end && this.entries[at]! >>> 16 < lower) at++;
    return at;
  }

  /** Id of the member whose point stands at a position; `undefined` when there are no points. */
  idAt(position: number): string | undefined {
    return this.ids[this.entries[position]! & 0xffff];
  }

  /** All points and the slots of their owners, for a walk over the whole ring. */
  unpack(): { readonly points: Uint32Array; readonly slots: Uint16Array } {
    const points = new Uint32Array(this.size);
    const slots = new Uint16Array(this.size);
    for (let bucket = 0; bucket < buckets; bucket++) {
      const end = this.starts[bucket + 1]!;
      for (let at = this.starts[bucket]!; at < end; at++) {
        const entry = this.entries[at]!;
        points[at] = (bucket << 16) | (entry >>> 16);
        slots[at] = entry;
      }
    }
    return { points, slots };
  }
}
