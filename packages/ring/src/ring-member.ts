/** A member as the ring sees it: a name and a share. Where it listens is the directory's business. */
export interface RingMember {
  /** `[A-Za-z0-9._:-]{1,64}` but not `__proto__`; unique in the ring. */
  readonly id: string;
  /** Share relative to the others, 0.01–100, default 1. A draining member simply is not in the ring. */
  readonly weight?: number;
}

export const minWeight = 0.01;
export const maxWeight = 100;
/** Owners are kept in 16 bits. */
export const maxMembers = 65_535;

const idPattern = /^[A-Za-z0-9._:-]{1,64}$/;

export function isMemberId(id: unknown): id is string {
  // hashring keeps servers as the properties of an object, where __proto__ is lost without a word
  return typeof id === 'string' && idPattern.test(id) && id !== '__proto__';
}

export function isWeight(weight: unknown): weight is number {
  return typeof weight === 'number' && weight >= minWeight && weight <= maxWeight;
}

/**
 * A member's number of points: `weight × virtualNodes`, rounded, at least 1. It depends on that member alone,
 * so that a join or a leave never moves a user between two members that stay.
 *
 * @throws RangeError that names the member, the value and the bound.
 */
export function virtualNodesOf(member: RingMember, virtualNodes: number): number {
  if (!isMemberId(member.id)) {
    throw new RangeError(
      `member id is ${JSON.stringify(member.id)}; it must match ${idPattern.source} and not be __proto__`,
    );
  }
  const weight = member.weight ?? 1;
  if (!isWeight(weight)) {
    throw new RangeError(
      `weight of ${member.id} is ${weight}; it must be between ${minWeight} and ${maxWeight}`,
    );
  }
  return pointsOfWeight(weight, virtualNodes);
}

/** The number of points of a member of that weight, at least 1. */
export function pointsOfWeight(weight: number, virtualNodes: number): number {
  return Math.max(1, Math.round(weight * virtualNodes));
}

/** Reads `n4` or `n4:1.5`: what follows the last colon is the weight when it is a number. */
export function parseRingMember(text: string): RingMember {
  const weighted = /^(.+):([0-9.]+)$/.exec(text);
  return weighted === null ? { id: text } : { id: weighted[1]!, weight: Number(weighted[2]) };
}
