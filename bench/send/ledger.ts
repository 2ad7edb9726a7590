import { maxMessages } from '@pinwheel/bench/load/message-number.js';
import type { Receipt } from '@pinwheel/protocol';

export interface Truth {
  readonly receipts: number;
  /** Receipts with another status than `delivered`. */
  readonly undelivered: number;
  /** Those of them that say `queued`: kept, to be delivered later. */
  readonly queued: number;
  /** `delivered` or `queued`, and not at the client. */
  readonly lost: number;
  /** At the client more often than the receipt says. */
  readonly duplicated: number;
  /** At the client, and the receipt denies it. */
  readonly denied: number;
}

/** What the receipts said, message by message, to be held against what the clients got. */
export class Ledger {
  receipts = 0;
  /** Receipts with another status than `delivered`, by status. */
  readonly undelivered = new Map<string, number>();
  readonly #sessions = new Uint8Array(maxMessages);
  /** Whose receipt says that they may have been delivered. */
  readonly #unknown = new Set<number>();

  enter(number: number, receipt: Receipt): void {
    this.receipts++;
    const { status, sessions = 0, error } = receipt;
    if (status === 'delivered') {
      this.#sessions[number] = sessions;
      return;
    }
    // nobody in a bench has two sessions
    if (status === 'queued') this.#sessions[number] = 1;
    if (error?.code === 'unknown-outcome' || error?.code === 'deadline') this.#unknown.add(number);
    const name = error === undefined ? status : `${status} (${error.code})`;
    this.undelivered.set(name, (this.undelivered.get(name) ?? 0) + 1);
  }

  /** Same as `enter`, for what is not worth an object. */
  delivered(number: number, sessions: number): void {
    this.receipts++;
    this.#sessions[number] = sessions;
  }

  /** @param counts how often each message came to a client. */
  compare(counts: Uint8Array): Truth {
    let lost = 0;
    let duplicated = 0;
    let denied = 0;
    for (let number = 0; number < maxMessages; number++) {
      const said = this.#sessions[number]!;
      const came = counts[number]!;
      if (came < said) lost += said - came;
      else if (said > 0 || came > 1) duplicated += came - Math.max(1, said);
      if (came > 0 && said === 0 && !this.#unknown.has(number)) denied++;
    }
    const undelivered = [...this.undelivered.values()].reduce((sum, count) => sum + count, 0);
    const queued = this.undelivered.get('queued') ?? 0;
    return { receipts: this.receipts, undelivered, queued, lost, duplicated, denied };
  }
}
