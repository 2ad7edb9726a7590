import type { Sent } from '../ledger.js';
import type { Simulation } from '../simulation.js';
import type { Holders } from './holders.js';

/** So long a node goes by a member's word that it holds nobody else's users: PROTOCOL.md, section 5. */
const wordCountsMs = 250;

/** `offline` is never said of a user who has been there all the time. */
export function checkReceipt(sim: Simulation, holders: Holders, { text, user, at, receipt }: Sent): void {
  if (receipt?.status !== 'offline') return;
  const since = holders.presentSince(user);
  if (since < at - wordCountsMs)
    sim.world.violate('I3 offline for a user who is there', `${text}; there since ${since.toFixed(1)}`);
}
