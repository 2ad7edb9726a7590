import { backoffMs } from '@pinwheel/membership';

const wait = { firstMs: 200, longestMs: 5000 };

/** When to try again what a server has refused: ever later, until it goes well. Holds no process. */
export class RetryLater {
  readonly #retry: () => void;
  #failures = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(retry: () => void) {
    this.#retry = retry;
  }

  /** It went wrong. Nothing changes when it is to be tried again already. */
  failed(): void {
    if (this.#timer !== undefined) return;
    this.#timer = setTimeout(
      () => {
        this.#timer = undefined;
        this.#retry();
      },
      backoffMs(++this.#failures, wait),
    ).unref();
  }

  wentWell(): void {
    this.#failures = 0;
  }

  /** It is tried right now, or never again. */
  cancel(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
