import type { Clock } from '@pinwheel/membership';

/** Time that passes only when it is told to. */
export class FakeClock implements Clock {
  #now = 0;
  #order = 0;
  #timers: { readonly at: number; readonly order: number; readonly call: () => void }[] = [];

  readonly now = (): number => this.#now;

  /** Timers that have not been called or cancelled. */
  get pending(): number {
    return this.#timers.length;
  }

  readonly after = (delayMs: number, call: () => void): (() => void) => {
    const timer = { at: this.#now + delayMs, order: this.#order++, call };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  };

  /** Lets so many ms pass; what promises do in between is done, too. */
  async pass(ms: number): Promise<void> {
    const until = this.#now + ms;
    await settled();
    for (;;) {
      const next = this.#next();
      if (next === undefined || next.at > until) break;
      this.#timers = this.#timers.filter((other) => other !== next);
      this.#now = Math.max(this.#now, next.at);
      next.call();
      await settled();
    }
    this.#now = until;
  }

  #next() {
    let next = this.#timers[0];
    for (const timer of this.#timers) {
      if (next === undefined || timer.at < next.at || (timer.at === next.at && timer.order < next.order))
        next = timer;
    }
    return next;
  }
}

/** Everything that promises have left to do is done. */
export async function settled(): Promise<void> {
  for (let i = 0; i < 12; i++) await Promise.resolve();
}
