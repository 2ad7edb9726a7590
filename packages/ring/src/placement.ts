import HashRing from 'hashring';
import { type KeyHash, keyHash } from './key-hash.js';
import type { RingHash } from './ring-settings.js';

/** Points of the members placed lately; a join then hashes one member's points, not everybody's. */
const placed = new Map<string, Uint32Array>();
/** 16 MiB, as many as the largest ring has. */
const maxPlacedPoints = 4_194_304;
let placedPoints = 0;

/**
 * The points of one member, ascending. Placement is the npm package hashring's: point i is the hash of
 * `<id>-<i>`. Each member is placed by itself with an explicit count, because hashring's own counts depend on
 * how many members there are, in floating point, and then a join moves users between members that stay.
 */
export function placeMember(id: string, count: number, hash: RingHash): Uint32Array {
  const cacheKey = `${hash} ${count} ${id}`;
  const known = placed.get(cacheKey);
  if (known !== undefined) return known;
  const points = pointsByHashring(id, count, keyHash(hash));
  placed.set(cacheKey, points);
  placedPoints += points.length;
  for (const [oldest, { length }] of placed) {
    if (placedPoints <= maxPlacedPoints) break;
    placed.delete(oldest);
    placedPoints -= length;
  }
  return points;
}

function pointsByHashring(id: string, count: number, hash: KeyHash): Uint32Array {
  // hashring reads a digest as 4 × replicas bytes, each group of four as a little-endian integer, at once
  const bytes = Buffer.allocUnsafe(4);
  const digest = (label: string): Buffer => {
    bytes.writeInt32LE(hash(label), 0);
    return bytes;
  };
  // the default count must differ from the member's own, else hashring falls back to its proportional rule
  const ring = new HashRing({ [id]: { vnodes: count } }, digest, { replicas: 1, 'vnode count': 0 }).ring;
  if (ring.length !== count || ring[0]?.server !== id) {
    throw new RangeError(
      `member id ${JSON.stringify(id)} cannot be placed: hashring read it as another address`,
    );
  }
  return Uint32Array.from(ring, (point) => point.value);
}
