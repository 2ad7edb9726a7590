import { diff, type RingDiff } from './diff.js';
import { buildRing, type Ring } from './ring.js';
import type { RingMember } from './ring-member.js';

/** A change of membership that somebody considers. A member that is in the ring and in `add` changes its weight. */
export interface RingChange {
  readonly add?: readonly RingMember[];
  readonly remove?: readonly string[];
}

export interface RingPlan {
  readonly before: Ring;
  readonly after: Ring;
  readonly diff: RingDiff;
}

/**
 * What a change would move, without changing anything.
 *
 * @throws RangeError for a member to remove that is not in the ring, and as {@link buildRing} does.
 */
export function plan(ring: Ring, change: RingChange): RingPlan {
  const members = new Map(ring.members.map((member) => [member.id, member]));
  for (const id of change.remove ?? []) {
    if (!members.delete(id)) {
      const known = [...ring.members].map((member) => member.id).join(', ');
      throw new RangeError(`cannot remove ${id}: it is not in the ring; members: ${known}`);
    }
  }
  for (const member of change.add ?? []) members.set(member.id, member);
  const after = buildRing([...members.values()], ring.settings, ring);
  return { before: ring, after, diff: diff(ring, after) };
}
