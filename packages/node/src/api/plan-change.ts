import { PinwheelError, queryText } from '@pinwheel/protocol';
import {
  isWeight,
  parseRingMember,
  plan,
  pointsOfWeight,
  type Ring,
  type RingMember,
  type RingPlan,
} from '@pinwheel/ring';
import { checkParameters } from '../http/check-parameters.js';

const maxAdded = 64;
/** Placing points takes about a microsecond each, and nobody is served meanwhile. */
const leastMaxAddedPoints = 65_536;

/**
 * The plan for a change as a query names it: `add=n4:1,n5&remove=n2`.
 *
 * @throws PinwheelError `bad-request` for a change that is none, cannot be, or would take long to work out.
 */
export function planChange(ring: Ring, query: string): RingPlan {
  checkParameters(query, ['add', 'remove']);
  const add = readIds(query, 'add').map(parseRingMember);
  const remove = readIds(query, 'remove');
  if (add.length === 0 && remove.length === 0) {
    throw bad('there is nothing to plan; name members with ?add=n4:1,n5 or ?remove=n2');
  }
  if (add.length > maxAdded) throw bad(`add names ${add.length} members; it must name at most ${maxAdded}`);
  const { virtualNodes } = ring.settings;
  const points = pointsOf(add, virtualNodes);
  const most = Math.max(leastMaxAddedPoints, pointsOf(ring.members, virtualNodes));
  if (points > most) {
    throw bad(
      `add has ${points} points (weight × ${virtualNodes} virtual nodes each); it must have at most ${most}`,
    );
  }
  try {
    return plan(ring, { add, remove });
  } catch (thrown) {
    if (thrown instanceof RangeError)
      throw new PinwheelError('bad-request', thrown.message, { cause: thrown });
    throw thrown;
  }
}

/** Members that the ring refuses count for nothing here. */
function pointsOf(members: readonly RingMember[], virtualNodes: number): number {
  return members.reduce(
    (sum, { weight = 1 }) => sum + (isWeight(weight) ? pointsOfWeight(weight, virtualNodes) : 0),
    0,
  );
}

function readIds(query: string, name: string): readonly string[] {
  const text = queryText(query, name);
  return text === undefined || text === '' ? [] : text.split(',');
}

function bad(why: string): PinwheelError {
  return new PinwheelError('bad-request', why);
}
