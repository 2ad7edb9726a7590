import type { Sent } from '../ledger.js';
import { doneForMs } from '../mechanisms.js';
import type { Simulation } from '../simulation.js';
import type { Holders } from './holders.js';

/**
 * `offline` is never said of a user who has been there all the time, since before the word of a member that a node may
 * still go by.
 */
export function checkReceipt(sim: Simulation, holders: Holders, { text, user, at, receipt }: Sent): void {
  if (receipt?.status !== 'offline') return;
  const since = holders.presentSince(user);
  if (since < at - doneForMs)
    sim.world.violate('I3 offline for a user who is there', `${text}; there since ${since.toFixed(1)}`);
}
