import { buildRing, type Ring, type RingMember, type RingSettings } from '@pinwheel/ring';

export const ringSettings: RingSettings = { hash: 'xxhash32', virtualNodes: 8 };

const built = new Map<string, Ring>();

/**
 * A ring of these members, as an object of its own: two rings with one fingerprint are not the same ring. What is
 * behind it is built once, because a ring's index is made for a million points, and a run sees hundreds of rings.
 */
export function ringOf(members: readonly RingMember[]): Ring {
  const ids = members.map(({ id }) => id).sort();
  const key = ids.join(' ');
  let ring = built.get(key);
  if (ring === undefined) {
    ring = buildRing(
      ids.map((id) => ({ id, weight: 1 })),
      ringSettings,
    );
    built.set(key, ring);
  }
  const { settings, fingerprint, size } = ring;
  const of = ring;
  return {
    settings,
    fingerprint,
    size,
    members: of.members,
    owner: (user) => of.owner(user),
    owners: (user, most) => of.owners(user, most),
    hashOf: (user) => of.hashOf(user),
    ownerOfHash: (hash) => of.ownerOfHash(hash),
    shares: () => of.shares(),
  };
}
