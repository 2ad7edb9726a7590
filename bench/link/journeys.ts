import { sharedMicros } from '@pinwheel/bench/load/arrivals.js';
import { maxMessages } from '@pinwheel/bench/load/message-number.js';

/** How long messages took from the sender to their client, by user and by when they were sent. */
export class Journeys {
  readonly #sentMicros = new Float64Array(maxMessages);
  readonly #users: string[] = [];

  sending(number: number, user: string): void {
    this.#users[number] = user;
    this.#sentMicros[number] = sharedMicros();
  }

  /**
   * In ms, of all messages for these users that were sent in a while. Those that did not come are left out: receipts
   * say what became of them.
   *
   * @param arrivedMicros by message number, 0 for one that did not come.
   */
  between(from: number, to: number, users: ReadonlySet<string>, arrivedMicros: Float64Array): Journey[] {
    const journeys: Journey[] = [];
    this.#users.forEach((user, number) => {
      const sent = this.#sentMicros[number]!;
      const arrived = arrivedMicros[number]!;
      if (sent < from || sent >= to || arrived === 0 || !users.has(user)) return;
      journeys.push({ user, sentMicros: sent, ms: (arrived - sent) / 1000 });
    });
    return journeys;
  }
}

export interface Journey {
  readonly user: string;
  readonly sentMicros: number;
  readonly ms: number;
}

const sliceMicros = 100_000;

/** The same journeys without what the slowest of the others, sent within the same tenth of a second, took as well. */
export function beyond(journeys: readonly Journey[], others: readonly Journey[]): Journey[] {
  const slowest = new Map<number, number>();
  const sliceOf = ({ sentMicros }: Journey): number => Math.floor(sentMicros / sliceMicros);
  for (const other of others) {
    slowest.set(sliceOf(other), Math.max(other.ms, slowest.get(sliceOf(other)) ?? 0));
  }
  return journeys.map((one) => ({ ...one, ms: Math.max(0, one.ms - (slowest.get(sliceOf(one)) ?? 0)) }));
}

/** The longest of each user. */
export function worstOfEach(journeys: readonly Journey[]): readonly number[] {
  const worst = new Map<string, number>();
  for (const { user, ms } of journeys) worst.set(user, Math.max(ms, worst.get(user) ?? 0));
  return [...worst.values()];
}

/** @param part 0.99 for p99; the largest of a hundred, not the second. */
export function percentile(values: readonly number[], part: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))]!;
}
