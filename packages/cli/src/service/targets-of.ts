import { PinwheelError } from '@pinwheel/protocol';
import { options } from '../settings/options.js';
import type { Settings } from '../settings/settings.js';
import { refuseAllIgnored } from './ignored-members.js';
import { type AdminTarget, edgeTarget, nodesOf } from './nodes-of.js';
import type { OpenRing } from './open-ring.js';

/**
 * Every node that is taken, as the ring is now, and the edges that the settings name.
 *
 * @param nobody what to say when there is none.
 * @throws PinwheelError `unavailable` when there is none.
 */
export function targetsOf(
  settings: Settings,
  { tracker, credentials }: OpenRing,
  nobody: string,
): readonly AdminTarget[] {
  const edges = (settings.texts(options.edge) ?? []).map((url) => edgeTarget(url, credentials));
  const targets = [...nodesOf(tracker.current, credentials), ...edges];
  if (targets.length > 0) return targets;
  refuseAllIgnored(tracker);
  throw new PinwheelError('unavailable', nobody);
}
