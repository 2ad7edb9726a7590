import type { Sent } from '../ledger.js';
import { doneForMs } from '../mechanisms.js';
import type { Simulation } from '../simulation.js';
import type { Holders } from './holders.js';

/** A message may take so long, and a little more where its sender hears last of all. */
const longestMs = 5500;

/**
 * `offline` is never said of a user who has been there all the time, since before the word of a member that a node may
 * still go by.
 */
export function checkReceipt(sim: Simulation, holders: Holders, sent: Sent): void {
  const { text, user, at, receipt, receiptAt } = sent;
  // a client that was away for a while hears of it when it has come again
  if (sim.senders.has(sent.sender) && receiptAt - at > longestMs)
    sim.world.violate('I6 a receipt beyond its deadline', `${text} after ${(receiptAt - at).toFixed(1)} ms`);
  if (receipt?.status !== 'offline') return;
  const since = holders.presentSince(user);
  if (since < at - doneForMs)
    sim.world.violate('I3 offline for a user who is there', `${text}; there since ${since.toFixed(1)}`);
}
