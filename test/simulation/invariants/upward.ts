import type { Ledger } from '../ledger.js';
import type { Simulation } from '../simulation.js';

/**
 * What a client sent reaches the application once and in order; what it was told is taken, was processed. A holder that
 * crashes takes with it what it knew of that. Where there were two, neither knew of the other: each has it once and in
 * order for as long as it held the user.
 */
export function checkUpward({ ledger, world }: Simulation): void {
  const processed = new Set<string>();
  const times = new Map<string, number>();
  const last = new Map<string, number>();
  for (const { text, node, at } of ledger.applied) {
    processed.add(text);
    const { client, order } = ledger.upward.get(text)!;
    const { user, speech } = ledger.clients.get(client)!;
    const isExcused = ledger.excuses.some((excuse) => excuse.user === user && excuse.session !== 'plain');
    if (speech === 'plain' || isExcused) continue;
    const where = ledger.splits.has(user) ? ` at ${holdingOf(ledger, user, node, at)}` : '';
    const count = (times.get(text + where) ?? 0) + 1;
    times.set(text + where, count);
    if (count > 1) world.violate('I8 processed twice', text + where);
    const before = last.get(client + where) ?? 0;
    if (order < before) world.violate('I8 processed out of order', `${text} after ${before}${where}`);
    last.set(client + where, order);
  }
  for (const { text, outcome } of ledger.upward.values()) {
    if (outcome === 'taken' && !processed.has(text)) world.violate('I8 taken and not processed', text);
  }
}

/** Names the time for which a process held a user: the first, the second… */
function holdingOf({ left }: Ledger, user: string, node: string, at: number): string {
  const before = left.filter((one) => one.user === user && one.node === node && one.at < at);
  return `${node}, holding ${before.length + 1}`;
}
