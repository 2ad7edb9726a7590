/** Time that passes only when it is told to; it calls what is due on the way. */
export class FakeTimers {
  #now = 1000;
  #timers: { readonly at: number; readonly call: () => void }[] = [];

  readonly now = (): number => this.#now;

  get pending(): number {
    return this.#timers.length;
  }

  readonly after = (delayMs: number, call: () => void): (() => void) => {
    const timer = { at: this.#now + delayMs, call };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  };

  pass(ms: number): void {
    const until = this.#now + ms;
    for (;;) {
      const [next] = this.#timers.filter(({ at }) => at <= until).sort((one, other) => one.at - other.at);
      if (next === undefined) break;
      this.#timers = this.#timers.filter((other) => other !== next);
      this.#now = Math.max(this.#now, next.at);
      next.call();
    }
    this.#now = until;
  }

  /** The process stands still, and has yet to see which timers are due. */
  sleep(ms: number): void {
    this.#now += ms;
  }

  /** The process stands still: time passes and nothing is called until it is over. */
  stall(ms: number): void {
    this.#now += ms;
    this.pass(0);
  }
}
