import type { Clock } from '@pinwheel/membership';

/** Time that passes only when it is told to. */
export class FakeTime implements Clock {
  #now = 0;
  #order = 0;
  readonly #timers = new Set<{ readonly at: number; readonly order: number; readonly call: () => void }>();

  readonly now = (): number => this.#now;

  /** Timers that have not been called or cancelled. */
  get pending(): number {
    return this.#timers.size;
  }

  readonly after = (delayMs: number, call: () => void): (() => void) => {
    const timer = { at: this.#now + delayMs, order: this.#order++, call };
    this.#timers.add(timer);
    return () => void this.#timers.delete(timer);
  };

  /** Lets so many ms pass; what promises do in between is done, too. */
  async pass(ms: number): Promise<void> {
    const until = this.#now + ms;
    await settled();
    for (;;) {
      const [next] = [...this.#timers].sort((one, other) => one.at - other.at || one.order - other.order);
      if (next === undefined || next.at > until) break;
      this.#timers.delete(next);
      this.#now = Math.max(this.#now, next.at);
      next.call();
      await settled();
    }
    this.#now = until;
  }
}

/** Everything that promises have left to do is done. */
async function settled(): Promise<void> {
  for (let i = 0; i < 12; i++) await Promise.resolve();
}
