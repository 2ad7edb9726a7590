import { maxMembers, pointsOfWeight, type RingMember, type RingSettings } from '@pinwheel/ring';
import { faultOf } from '../member/member-fields.js';

/**
 * Points that the members of one ring may have together: 4,096 members of weight 1 with the default settings. Half of
 * what a ring could hold, because every process builds it while it should be doing something else.
 */
export const maxRingPoints = 2_097_152;

export interface RingRoom {
  readonly members: readonly RingMember[];
  /** Those that find no room, or that no ring can have. */
  readonly leftOut: readonly { readonly id: string; readonly reason: string }[];
}

/**
 * Who of the members is in the ring. Goes through them in the order of their ids, so that every process with the
 * same members leaves out the same ones, whoever came first; a ring that overflows still loses who leaves.
 */
export function ringRoom(counted: Iterable<RingMember>, settings: RingSettings): RingRoom {
  const members: RingMember[] = [];
  const leftOut: { readonly id: string; readonly reason: string }[] = [];
  let points = 0;
  for (const { id, weight = 1 } of inOrder(counted)) {
    const own = pointsOfWeight(weight, settings.virtualNodes);
    const fault = faultOf.id(id) ?? faultOf.weight(weight) ?? noRoom(members.length, points, own);
    if (fault === undefined) {
      members.push({ id, weight });
      points += own;
    } else {
      leftOut.push({ id, reason: fault });
    }
  }
  return { members, leftOut };
}

function noRoom(members: number, points: number, own: number): string | undefined {
  if (members >= maxMembers) return `the ring has ${members} members; it must have at most ${maxMembers}`;
  if (points + own <= maxRingPoints) return undefined;
  const advice = 'lower weights or virtualNodes';
  return `its ${own} points do not fit: the ring has ${points} and must have at most ${maxRingPoints}; ${advice}`;
}

function inOrder(members: Iterable<RingMember>): readonly RingMember[] {
  return [...members].sort((a, b) => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0));
}
