import type { Applied, Ledger } from '../ledger.js';
import type { Simulation } from '../simulation.js';

/**
 * What a client sent reaches the application once and in order; what it was told is taken, was processed. A holder that
 * crashes takes with it what it knew of that. Where there were two, neither knew of the other: each has it once and in
 * order for as long as it held the user.
 */
export class Upward {
  readonly #sim: Simulation;
  readonly #processed = new Set<string>();
  readonly #times = new Map<string, number>();
  readonly #last = new Map<string, number>();
  #read = 0;

  constructor(sim: Simulation) {
    this.#sim = sim;
  }

  /** An application may have been told of something, or a client that it was. */
  check(): void {
    const { ledger, world } = this.#sim;
    for (const applied of ledger.applied.slice(this.#read)) this.#checkOne(applied);
    this.#read = ledger.applied.length;
    for (const text of ledger.taken.splice(0))
      if (!this.#processed.has(text)) world.violate('I8 taken and not processed', text);
  }

  #checkOne({ text, node, at }: Applied): void {
    const { ledger, world } = this.#sim;
    this.#processed.add(text);
    const { client, order } = ledger.upward.get(text)!;
    const { user, speech } = ledger.clients.get(client)!;
    const isExcused = ledger.excuses.some((excuse) => excuse.user === user && excuse.session !== 'plain');
    if (speech === 'plain' || isExcused) return;
    const where = ledger.splits.has(user) ? ` at ${holdingOf(ledger, user, node, at)}` : '';
    const count = (this.#times.get(text + where) ?? 0) + 1;
    this.#times.set(text + where, count);
    if (count > 1) world.violate('I8 processed twice', text + where);
    const before = this.#last.get(client + where) ?? 0;
    if (order < before) world.violate('I8 processed out of order', `${text} after ${before}${where}`);
    this.#last.set(client + where, order);
  }
}

/** Names the time for which a process held a user: the first, the second… */
function holdingOf({ left }: Ledger, user: string, node: string, at: number): string {
  const before = left.filter((one) => one.user === user && one.node === node && one.at < at);
  return `${node}, holding ${before.length + 1}`;
}
