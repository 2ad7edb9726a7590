import { buckets, PointIndex } from './point-index.js';
import { type Placed, readKey, sortedKeys } from './sort-points.js';

/** The same points without those of the members that left, whose slots become free. */
export function dropPoints(base: PointIndex, gone: ReadonlySet<string>): PointIndex {
  const ids = base.ids.map((id) => (id === undefined || gone.has(id) ? undefined : id));
  const stays = Uint8Array.from(ids, (id) => (id === undefined ? 0 : 1));
  const starts = new Int32Array(buckets + 1);
  const entries = new Int32Array(base.size + 1);
  let out = 0;
  for (let bucket = 0; bucket < buckets; bucket++) {
    const end = base.starts[bucket + 1]!;
    for (let at = base.starts[bucket]!; at < end; at++) {
      const entry = base.entries[at]!;
      if (stays[entry & 0xffff] === 1) entries[out++] = entry;
    }
    starts[bucket + 1] = out;
  }
  return new PointIndex(ids, starts, entries.slice(0, out + 1));
}

/**
 * The same points and those of members that joined. What lies between two new points is copied as one block,
 * so that a join costs a copy of the ring and little else.
 *
 * @param added in the order of their ids.
 */
export function insertPoints(base: PointIndex, added: readonly Placed[]): PointIndex {
  const ids = [...base.ids];
  const free = [...ids.keys()].filter((slot) => ids[slot] === undefined);
  const slots = added.map(({ id }, i) => {
    const slot = free[i] ?? ids.length;
    ids[slot] = id;
    return slot;
  });
  const keys = sortedKeys(added);
  const entries = new Int32Array(base.size + keys.length + 1);
  const starts = new Int32Array(buckets + 1);
  let copied = 0;
  keys.forEach((key, k) => {
    const { point, place } = readKey(key);
    const slot = slots[place]!;
    const bucket = point >>> 16;
    const end = base.starts[bucket + 1]!;
    let at = base.find(point);
    while (at < end && base.entries[at]! >>> 16 === (point & 0xffff) && base.idAt(at)! < ids[slot]!) at++;
    entries.set(base.entries.subarray(copied, at), copied + k);
    entries[at + k] = (point << 16) | slot;
    copied = at;
    starts[bucket + 1]!++;
  });
  entries.set(base.entries.subarray(copied, base.size), copied + keys.length);
  let inserted = 0;
  for (let bucket = 1; bucket <= buckets; bucket++) {
    inserted += starts[bucket]!;
    starts[bucket] = base.starts[bucket]! + inserted;
  }
  return new PointIndex(ids, starts, entries);
}
