import type { Simulation } from '../simulation.js';

/** What a client sent reaches the application once and in order; what it was told is taken, was processed. */
export function checkUpward({ ledger, world }: Simulation): void {
  const times = new Map<string, number>();
  const last = new Map<string, number>();
  for (const { text } of ledger.applied) {
    const { client, order } = ledger.upward.get(text)!;
    const count = (times.get(text) ?? 0) + 1;
    times.set(text, count);
    const { user, speech } = ledger.clients.get(client)!;
    // with two holders, or without one, nobody knows what was processed
    const isExcused = ledger.splits.has(user) || ledger.excuses.some((excuse) => excuse.user === user);
    if (isExcused || speech === 'plain') continue;
    if (count > 1) world.violate('I8 processed twice', text);
    const before = last.get(client) ?? 0;
    if (order < before) world.violate('I8 processed out of order', `${text} after ${before}`);
    last.set(client, order);
  }
  for (const { text, outcome } of ledger.upward.values()) {
    if (outcome === 'taken' && !times.has(text)) world.violate('I8 taken and not processed', text);
  }
}
