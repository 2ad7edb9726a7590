import type { RingTracker, RingTrackerStatus } from '@pinwheel/membership';
import { PinwheelError } from '@pinwheel/protocol';
import { counted } from '../output/output.js';
import { asFlags } from '../process/in-flags.js';

type Ignored = RingTrackerStatus['ignored'];

/** Who is listed and not taken by this process, and why. Whom the ring has no room for is there all the same. */
export function ignoredBy(tracker: RingTracker): Ignored {
  const { members } = tracker.current;
  return tracker
    .status()
    .ignored.filter(({ id }) => !members.has(id))
    .map(({ id, reason }) => ({ id, reason: asFlags(reason) }));
}

/** `3 members are listed and ignored: n1, n2: one reason; n3: another one`; of nobody there is nothing to say. */
export function describeIgnored(ignored: Ignored): readonly string[] {
  if (ignored.length === 0) return [];
  const idsFor = new Map<string, string[]>();
  for (const { id, reason } of ignored) {
    const ids = idsFor.get(reason) ?? [];
    idsFor.set(reason, [...ids, id === '' ? 'one without an id' : id]);
  }
  const groups = [...idsFor].map(([reason, ids]) => `${ids.join(', ')}: ${reason}`);
  const are = ignored.length === 1 ? 'is' : 'are';
  return [`${counted(ignored.length, 'member')} ${are} listed and ignored: ${groups.join('; ')}`];
}

/** Why nobody can be asked though members are listed; `undefined` when somebody can, and when nobody is listed. */
export function whyAllIgnored(tracker: RingTracker): string | undefined {
  const ignored = ignoredBy(tracker);
  if (tracker.current.members.size > 0 || ignored.length === 0) return undefined;
  return ['the ring is empty', ...describeIgnored(ignored)].join(': ');
}

/** @throws PinwheelError `unavailable` when members are listed and each of them is ignored. */
export function refuseAllIgnored(tracker: RingTracker): void {
  const why = whyAllIgnored(tracker);
  if (why !== undefined) throw new PinwheelError('unavailable', why);
}
