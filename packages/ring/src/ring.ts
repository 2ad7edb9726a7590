import { fingerprintOf } from './fingerprint.js';
import { type KeyHash, keyHash } from './key-hash.js';
import { dropPoints, insertPoints } from './next-points.js';
import { placeMember } from './placement.js';
import type { PointIndex } from './point-index.js';
import { maxMembers, type RingMember, virtualNodesOf } from './ring-member.js';
import { type RingSettings, ringSettings } from './ring-settings.js';
import { fewPoints, type Placed, sortPoints } from './sort-points.js';

/**
 * An immutable ring. Build the next one beside it and swap the reference; every look-up is local and takes
 * no lock, no allocation and no I/O.
 */
export interface Ring {
  readonly settings: RingSettings;
  /** In the order of their ids. */
  readonly members: readonly RingMember[];
  /** Equal fingerprints place every key alike; 16 hex digits. */
  readonly fingerprint: string;
  /** Number of points of all members together. */
  readonly size: number;
  /** Id of the member that owns a key; `undefined` only when the ring has no members. */
  owner(key: string): string | undefined;
  /** Up to `n` distinct members, the owner first, then those that would own the key if the ones before left. */
  owners(key: string, n: number): readonly string[];
  /** A key's point; keep it beside a key that is looked up in ring after ring. */
  hashOf(key: string): number;
  /** Like {@link owner}, for a key whose point is known. */
  ownerOfHash(hash: number): string | undefined;
  /** Each member's part of the key space, 0–1; they add up to 1. */
  shares(): ReadonlyMap<string, number>;
}

/** The insides that `diff` and the next build read; not part of what users see. */
export interface BuiltRing extends Ring {
  readonly index: PointIndex;
  readonly counts: readonly number[];
}

export const hashSpace = 2 ** 32;
/** 1,000 members of weight 8 with the default settings; 4 bytes a point. */
const maxPoints = 4_194_304;

/**
 * Builds a ring.
 *
 * @param members in any order; ids must be unique.
 * @param previous a ring with the same settings to build upon, unless sorting anew is faster: only points of members
 *   that joined are put in. The result is the same with and without it.
 * @throws RangeError for an invalid or repeated id, a weight or a setting out of bounds.
 */
export function buildRing(
  members: readonly RingMember[],
  settings: Partial<RingSettings> = {},
  previous?: Ring,
): Ring {
  const shared = ringSettings(settings);
  const sorted = sortById(members);
  const counts = sorted.map((member) => virtualNodesOf(member, shared.virtualNodes));
  const size = counts.reduce((sum, count) => sum + count, 0);
  if (size > maxPoints) {
    throw new RangeError(`the ring has ${size} points; it must have at most ${maxPoints}`);
  }
  const fingerprint = fingerprintOf(
    sorted.map((member, i) => ({ id: member.id, count: counts[i]! })),
    shared,
  );
  const base = size <= fewPoints ? undefined : (previous as BuiltRing | undefined);
  const index = pointsOf(sorted, counts, shared, base);
  return new IndexedRing(shared, sorted, counts, fingerprint, index);
}

function sortById(members: readonly RingMember[]): readonly RingMember[] {
  if (members.length > maxMembers) {
    throw new RangeError(`the ring has ${members.length} members; it must have at most ${maxMembers}`);
  }
  // ids are ASCII, so UTF-16 order is the order of their bytes
  const sorted = [...members].sort((a, b) => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0));
  for (let i = 1; i < sorted.length; i++) {
    if (sorted[i]!.id === sorted[i - 1]!.id) {
      throw new RangeError(`member id ${sorted[i]!.id} is in the list twice; ids must be unique`);
    }
  }
  return Object.freeze(sorted);
}

function pointsOf(
  members: readonly RingMember[],
  counts: readonly number[],
  settings: RingSettings,
  previous: BuiltRing | undefined,
): PointIndex {
  const place = (id: string, count: number): Placed => ({
    id,
    points: placeMember(id, count, settings.hash),
  });
  if (previous === undefined || previous.settings.hash !== settings.hash) {
    return sortPoints(members.map(({ id }, i) => place(id, counts[i]!)));
  }
  const gone = new Map(previous.members.map(({ id }, i) => [id, previous.counts[i]]));
  const added: Placed[] = [];
  members.forEach(({ id }, i) => {
    if (gone.get(id) === counts[i]) gone.delete(id);
    else added.push(place(id, counts[i]!));
  });
  const kept = gone.size === 0 ? previous.index : dropPoints(previous.index, new Set(gone.keys()));
  return added.length === 0 ? kept : insertPoints(kept, added);
}

class IndexedRing implements BuiltRing {
  readonly settings: RingSettings;
  readonly members: readonly RingMember[];
  readonly counts: readonly number[];
  readonly fingerprint: string;
  readonly index: PointIndex;
  readonly #hash: KeyHash;

  constructor(
    settings: RingSettings,
    members: readonly RingMember[],
    counts: readonly number[],
    fingerprint: string,
    index: PointIndex,
  ) {
    this.settings = settings;
    this.members = members;
    this.counts = counts;
    this.fingerprint = fingerprint;
    this.index = index;
    this.#hash = keyHash(settings.hash);
  }

  get size(): number {
    return this.index.size;
  }

  hashOf(key: string): number {
    return this.#hash(key) >>> 0;
  }

  owner(key: string): string | undefined {
    return this.ownerOfHash(this.#hash(key));
  }

  ownerOfHash(hash: number): string | undefined {
    return this.index.idAt(this.index.find(hash));
  }

  owners(key: string, n: number): readonly string[] {
    const found = new Set<string>();
    const wanted = Math.min(n, this.members.length);
    if (wanted < 1) return [];
    for (let at = this.index.find(this.#hash(key)); found.size < wanted; at = (at + 1) % this.size) {
      found.add(this.index.idAt(at)!);
    }
    return [...found];
  }

  shares(): ReadonlyMap<string, number> {
    const arcs = new Map<string, number>(this.members.map((member) => [member.id, 0]));
    const { points, slots } = this.index.unpack();
    const bySlot = new Float64Array(this.index.ids.length);
    let previous = points.length === 0 ? 0 : points[points.length - 1]! - hashSpace;
    for (let i = 0; i < points.length; i++) {
      bySlot[slots[i]!]! += points[i]! - previous;
      previous = points[i]!;
    }
    this.index.ids.forEach((id, slot) => {
      if (id !== undefined) arcs.set(id, bySlot[slot]! / hashSpace);
    });
    return arcs;
  }
}
