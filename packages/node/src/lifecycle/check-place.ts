import { PinwheelError } from '@pinwheel/protocol';
import type { Phase } from './phase.js';

/**
 * Before its entry is made a node may be in rings all the same, by the entry of the process that had its id before. It takes
 * nobody then: when it cannot enter itself it ends, and whoever it had taken would be lost.
 *
 * @throws PinwheelError `unavailable`.
 */
export function checkEntered(id: string, phase: Phase): void {
  if (phase === 'starting') throw new PinwheelError('unavailable', `node ${id} is not in the membership yet`);
}

/**
 * Whether this node may speak for its users.
 *
 * @throws PinwheelError `unavailable` before it is entered, and when it was replaced.
 */
export function checkPlace(id: string, phase: Phase): void {
  checkEntered(id, phase);
  if (phase !== 'replaced') return;
  throw new PinwheelError('unavailable', `another process has taken the place of node ${id}`);
}
