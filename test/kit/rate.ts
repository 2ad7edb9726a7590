const everyMs = 2;
/** A process that has stood still makes up for it, but not all at once. */
const mostAtOnce = 200;

/** Calls so often a millisecond, from the moment that it is made: as often on a busy machine, whose timers are late. */
export class Rate {
  readonly #perMs: number;
  readonly #call: (count: number) => void;
  readonly #startedAt = performance.now();
  readonly #timer: NodeJS.Timeout;
  /** Calls so far. */
  count = 0;

  /** @param call with the number of calls before. */
  constructor(perMs: number, call: (count: number) => void) {
    this.#perMs = perMs;
    this.#call = call;
    this.#timer = setInterval(() => this.#callAsIsDue(), everyMs);
  }

  /** Since the start. */
  get perSecond(): number {
    return this.count / ((performance.now() - this.#startedAt) / 1000);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #callAsIsDue(): void {
    const due = (performance.now() - this.#startedAt) * this.#perMs;
    for (let i = 0; i < mostAtOnce && this.count < due; i++) this.#call(this.count++);
  }
}
