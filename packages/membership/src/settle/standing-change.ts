import type { Member } from '../member/contract.js';
import type { FlapDamping } from './flap-damping.js';
import type { Missing, Standing } from './standing.js';

/** What becomes of a member that the newest view lists and that may count. Notes a restart as a departure. */
export function standingWhenSeen(
  before: Standing | undefined,
  member: Member,
  flaps: FlapDamping,
  now: number,
): Standing {
  const waiting = (): Standing => ({
    kind: 'waiting',
    member,
    since: now,
    notBefore: now + flaps.waitMs(member.id, now),
  });
  if (before === undefined || before.kind === 'apart' || before.kind === 'lingering') return waiting();
  if (isRestarted(before.member, member)) {
    flaps.departed(member.id, now);
    if (before.kind === 'waiting' || flaps.waitMs(member.id, now) > 0) return waiting();
  }
  return before.kind === 'waiting' ? { ...before, member } : { kind: 'counted', member };
}

/** What becomes of one that it does not list; `undefined`: it is forgotten. */
export function standingWhenUnseen(before: Standing, flaps: FlapDamping, now: number): Standing | undefined {
  switch (before.kind) {
    case 'counted':
      return { kind: 'missing', member: before.member, vanishedAt: now, ...unasked(now) };
    case 'waiting':
      flaps.departed(before.member.id, now);
      return undefined;
    case 'apart': {
      const { member } = before;
      if (!member.draining || member.kind !== 'node') return undefined;
      return { kind: 'lingering', member, vanishedAt: now, ...unasked(now), misses: 0, saidSo: true };
    }
    case 'missing':
    case 'lingering':
      return before;
    default:
      return before satisfies never;
  }
}

/** Of one that is to be asked from now on. */
export function unasked(now: number): Pick<Missing, 'probes' | 'nextProbeAt' | 'ticket' | 'found'> {
  return { probes: 0, nextProbeAt: now, ticket: undefined, found: undefined };
}

/** Whether the process behind an id changed; one that was not heard yet may be the same. */
function isRestarted(before: Member, after: Member): boolean {
  return (
    before.incarnation !== undefined &&
    after.incarnation !== undefined &&
    before.incarnation !== after.incarnation
  );
}
