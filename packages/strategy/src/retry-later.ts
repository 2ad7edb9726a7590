import { backgroundClock, backoffMs, type Clock } from '@pinwheel/membership';

const wait = { firstMs: 200, longestMs: 5000 };

/** When to try again what a server has refused: ever later, until it goes well. */
export class RetryLater {
  readonly #retry: () => void;
  readonly #after: Clock['after'];
  readonly #random: () => number;
  #failures = 0;
  #cancel: (() => void) | undefined;

  constructor(retry: () => void, after = backgroundClock.after, random = Math.random) {
    this.#retry = retry;
    this.#after = after;
    this.#random = random;
  }

  /** It went wrong. Nothing changes when it is to be tried again already. */
  failed(): void {
    if (this.#cancel !== undefined) return;
    this.#cancel = this.#after(backoffMs(++this.#failures, wait, this.#random), () => {
      this.#cancel = undefined;
      this.#retry();
    });
  }

  wentWell(): void {
    this.#failures = 0;
  }

  /** It is tried right now, or never again. */
  cancel(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }
}
