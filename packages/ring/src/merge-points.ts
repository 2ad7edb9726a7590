import { indexPoints, type PointIndex } from './point-index.js';

/** A member's place in the sorted member list, and its ascending points. */
export interface Placed {
  readonly index: number;
  readonly points: Uint32Array;
}

/** `point × 2^16 + member` fits a double exactly, so one native sort orders by point and then by member id. */
const memberRange = 2 ** 16;

export function sortPoints(members: readonly Placed[]): PointIndex {
  const keys = sortedKeys(members);
  const points = new Uint32Array(keys.length);
  const owners = new Uint16Array(keys.length);
  for (let i = 0; i < keys.length; i++) {
    const key = keys[i]!;
    const point = Math.floor(key / memberRange);
    points[i] = point;
    owners[i] = key - point * memberRange;
  }
  return indexPoints(points, owners);
}

/**
 * The next ring's points from the current ring's: drops the members that left, renumbers those that stay and
 * merges in the new ones, in one pass. 1,000 members × 512 points: about 5 ms, where sorting takes 60.
 *
 * @param renumber for every member index of `base` its index in the next ring, or -1 when it is gone.
 */
export function mergePoints(base: PointIndex, renumber: Int32Array, added: readonly Placed[]): PointIndex {
  const keys = sortedKeys(added);
  let kept = 0;
  for (const owner of base.owners) if (renumber[owner]! >= 0) kept++;
  const points = new Uint32Array(kept + keys.length);
  const owners = new Uint16Array(kept + keys.length);
  let k = 0;
  let out = 0;
  for (let i = 0; i < base.points.length; i++) {
    const owner = renumber[base.owners[i]!]!;
    if (owner < 0) continue;
    const key = base.points[i]! * memberRange + owner;
    while (k < keys.length && keys[k]! < key) out = put(points, owners, out, keys[k++]!);
    points[out] = base.points[i]!;
    owners[out++] = owner;
  }
  while (k < keys.length) out = put(points, owners, out, keys[k++]!);
  return indexPoints(points, owners);
}

function put(points: Uint32Array, owners: Uint16Array, at: number, key: number): number {
  const point = Math.floor(key / memberRange);
  points[at] = point;
  owners[at] = key - point * memberRange;
  return at + 1;
}

function sortedKeys(members: readonly Placed[]): Float64Array {
  const total = members.reduce((sum, member) => sum + member.points.length, 0);
  const keys = new Float64Array(total);
  let at = 0;
  for (const { index, points } of members) {
    for (const point of points) keys[at++] = point * memberRange + index;
  }
  return keys.sort();
}
