/**
 * All points of a ring in ascending order, with the member each belongs to, and a bucket index over the top
 * bits of the point: as many buckets as points, so that a look-up is one jump and about one comparison.
 */
export interface PointIndex {
  /** Ascending; equal points stand in the order of their members' ids. */
  readonly points: Uint32Array;
  /** `owners[i]` is the index, in the ring's sorted members, of the member that placed `points[i]`. */
  readonly owners: Uint16Array;
  /** Position of the first point at or after a hash, going round at the end. The ring must not be empty. */
  find(hash: number): number;
}

const minBits = 1;
const maxBits = 22;

export function indexPoints(points: Uint32Array, owners: Uint16Array): PointIndex {
  const bits = Math.min(maxBits, Math.max(minBits, Math.ceil(Math.log2(points.length + 1))));
  const shift = 32 - bits;
  const bucketStart = new Uint32Array(2 ** bits);
  let bucket = 0;
  for (let i = 0; i < points.length; i++) {
    const last = points[i]! >>> shift;
    while (bucket <= last) bucketStart[bucket++] = i;
  }
  bucketStart.fill(points.length, bucket);

  return {
    points,
    owners,
    find(hash) {
      let i = bucketStart[hash >>> shift]!;
      while (i < points.length && points[i]! < hash) i++;
      return i === points.length ? 0 : i;
    },
  };
}
