import type { Clock } from '@pinwheel/membership';
import { PinwheelError } from '@pinwheel/protocol';
import type { RouteChanges, Routes } from '../../src/index.js';

/** How likely a write goes wrong, and how. */
export interface Faults {
  /** It never arrives. */
  readonly lost: number;
  /** It is written, and its answer is lost. */
  readonly unanswered: number;
  /** Its answer takes so many ms at most. */
  readonly longestMs: number;
}

export const noFaults: Faults = { lost: 0, unanswered: 0, longestMs: 0 };

/** A registry in memory with leases by its clock, for the routes of one node. */
export class FakeRegistry implements Pick<Routes, 'write'> {
  faults: Faults = noFaults;
  /** Users with something else where their routes belong. */
  readonly others = new Set<string>();
  /** Every write that has arrived: when, and of whom. */
  readonly writes: { readonly at: number; readonly users: RouteChanges }[] = [];
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #ends = new Map<string, number>();

  constructor(clock: Clock, random: () => number) {
    this.#clock = clock;
    this.#random = random;
  }

  /** Whom it would name, in order. */
  get users(): readonly string[] {
    const now = this.#clock.now();
    return [...this.#ends].flatMap(([user, end]) => (end > now ? [user] : [])).sort();
  }

  has(user: string): boolean {
    return (this.#ends.get(user) ?? 0) > this.#clock.now();
  }

  /** As a Redis that is started again. */
  loseEverything(): void {
    this.#ends.clear();
  }

  async write(_where: string, users: RouteChanges, leaseMs: number): Promise<readonly string[]> {
    const { lost, unanswered, longestMs } = this.faults;
    await this.#wait(longestMs / 2);
    if (this.#random() < lost) throw new PinwheelError('unreachable', 'it did not arrive');
    const now = this.#clock.now();
    this.writes.push({ at: now, users });
    const refused = users.here.filter((user) => this.others.has(user));
    for (const user of users.here) if (!this.others.has(user)) this.#ends.set(user, now + leaseMs);
    for (const user of users.gone) this.#ends.delete(user);
    await this.#wait(longestMs / 2);
    if (this.#random() < unanswered) throw new PinwheelError('unknown-outcome', 'no answer came');
    return refused;
  }

  #wait(longestMs: number): Promise<void> | undefined {
    if (longestMs === 0) return undefined;
    return new Promise((resolve) => this.#clock.after(this.#random() * longestMs, resolve));
  }
}
