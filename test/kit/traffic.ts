import type { Sender } from '@pinwheel/sender';
import type { Test } from 'tap';
import { Ledger, type Recipient } from './ledger.js';
import { Rate } from './rate.js';
import { percentile, spreadOf } from './spread.js';
import { until } from './until.js';

const perMs = 2;

/** What the receipts of these users may say beside `delivered`, and of how many messages. */
export interface MayBe {
  readonly users: ReadonlySet<string>;
  readonly statuses: readonly string[];
  readonly most: number;
}

/** 2,000 messages a second to everybody in turn, from the moment that it is made. */
export class Traffic {
  readonly ledger: Ledger;
  readonly #users: readonly string[];
  readonly #receipts: Promise<unknown>[] = [];
  readonly #receiptMs: number[] = [];
  readonly #rate: Rate;
  #perSecond = 0;

  constructor(sender: Sender, clients: ReadonlyMap<string, Recipient>) {
    this.ledger = new Ledger(sender, clients);
    this.#users = [...clients.keys()];
    this.#rate = new Rate(perMs, (count) => void this.send(this.#users[count % this.#users.length]!));
  }

  send(user: string): ReturnType<Ledger['send']> {
    const at = performance.now();
    const receipt = this.ledger.send(user);
    this.#receipts.push(receipt.then(() => this.#receiptMs.push(performance.now() - at)));
    return receipt;
  }

  /** Resolves when it has gone on for so long, in ms. */
  async lasted(ms: number): Promise<void> {
    await until(`${ms} ms of traffic`, () => this.#rate.count >= ms * perMs, { deadlineMs: 60_000 });
  }

  /** Resolves when every message has its receipt. */
  async pause(): Promise<void> {
    this.#rate.stop();
    this.#perSecond = this.#rate.perSecond;
    await Promise.all(this.#receipts);
  }

  /**
   * Every receipt is true: what it says came, once, in order, and nothing else; and everything was delivered but what may not
   * have been.
   */
  async isTrue(t: Test, { users, statuses, most }: MayBe): Promise<void> {
    await until('what was delivered has come', () => this.ledger.audit().lost.length === 0, {
      deadlineMs: 20_000,
      everyMs: 200,
    }).catch(() => {});
    const { sent, byStatus, ...wrong } = this.ledger.audit();
    const rate = Math.round(this.#perSecond);
    t.comment(`${sent} messages, ${rate} a second: ${JSON.stringify(byStatus)}`);
    t.comment(`time to the receipt ${spreadOf(this.#receiptMs)}`);
    t.ok(rate > 1800, `${rate} messages a second`);
    const counts = Object.fromEntries(
      Object.entries(wrong).map(([what, which]) => [what, which.slice(0, 5)]),
    );
    t.same(
      counts,
      { lost: [], duplicated: [], denied: [], others: [], disordered: [] },
      'every receipt is true',
    );
    const others = this.ledger.entries.filter(({ receipt }) => receipt.status !== 'delivered');
    t.same(
      others
        .filter(({ user, receipt }) => !users.has(user) || !statuses.includes(receipt.status))
        .slice(0, 5),
      [],
      'everything else is delivered',
    );
    t.ok(others.length <= most, `${others.length} of them are ${statuses.join(' or ')}, at most ${most}`);
  }

  /** Reports how long the slowest message to each of these users took to its client, beyond the median one. */
  reportGaps(t: Test, users: ReadonlySet<string>): void {
    const journeys = this.ledger.journeys();
    const median = percentile(
      journeys.map(({ ms }) => ms),
      50,
    );
    const slowest = new Map<string, number>();
    for (const { user, ms } of journeys) {
      if (users.has(user)) slowest.set(user, Math.max(slowest.get(user) ?? 0, ms - median));
    }
    t.comment(`gap of ${users.size} users who moved: ${spreadOf([...slowest.values()])}`);
    t.ok(slowest.size > 0, `${slowest.size} of them were sent something`);
  }
}
