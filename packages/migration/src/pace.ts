/** How fast users are moved. Has no clock and no timer of its own. */
export interface Pace {
  readonly perSecond: number;
  readonly paused: boolean;
  /**
   * How many of the users that wait may go now; they count as gone.
   *
   * @param waiting how many users wait.
   */
  take(waiting: number): number;
  /** Time until `take` gives at least one user, in ms; `Infinity` while paused. */
  msUntilNext(): number;
  /** Takes effect at once; what was saved up by the old rate is kept within the new bound. */
  setRate(perSecond: number): void;
  /** `take` gives nobody until `resume`. Both may be called twice. */
  pause(): void;
  resume(): void;
}

export interface PaceOptions {
  /** Users per second, above 0. */
  readonly perSecond: number;
  /** Any clock that does not go backwards, in ms. */
  readonly now: () => number;
}

/** A process that stood still catches up by at most this much of its rate: a stall must not become a storm. */
const burstMs = 100;

/** A token bucket that holds 100 ms of the rate, and at least one user: a lone user goes at once. */
export function createPace(options: PaceOptions): Pace {
  return new TokenPace(options.perSecond, options.now);
}

class TokenPace implements Pace {
  #perSecond: number;
  #paused = false;
  #credit = 1;
  #creditAt: number;
  readonly #now: () => number;

  constructor(perSecond: number, now: () => number) {
    this.#perSecond = perSecond;
    this.#now = now;
    this.#creditAt = now();
  }

  get perSecond(): number {
    return this.#perSecond;
  }

  get paused(): boolean {
    return this.#paused;
  }

  take(waiting: number): number {
    this.#earn();
    if (this.#paused) return 0;
    const going = Math.min(waiting, Math.floor(this.#credit));
    this.#credit -= going;
    return going;
  }

  msUntilNext(): number {
    if (this.#paused) return Number.POSITIVE_INFINITY;
    this.#earn();
    return this.#credit >= 1 ? 0 : ((1 - this.#credit) * 1000) / this.#perSecond;
  }

  setRate(perSecond: number): void {
    this.#earn();
    this.#perSecond = perSecond;
  }

  pause(): void {
    this.#earn();
    this.#paused = true;
  }

  resume(): void {
    this.#earn();
    this.#paused = false;
  }

  #earn(): void {
    const now = this.#now();
    if (!this.#paused) {
      const earned = ((now - this.#creditAt) * this.#perSecond) / 1000;
      this.#credit = Math.min(this.#credit + earned, this.#most());
    }
    this.#creditAt = now;
  }

  #most(): number {
    return Math.max(1, (this.#perSecond * burstMs) / 1000);
  }
}
