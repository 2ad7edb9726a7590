import { performance } from 'node:perf_hooks';
import type { Log } from '@pinwheel/membership';

const quietMs = 1000;

/** A warning that strangers can bring about: it is in the log once a second at most, with how many it stands for. */
export class SparseWarning {
  readonly #log: Log;
  readonly #now: () => number;
  #saidAt = Number.NEGATIVE_INFINITY;
  #unsaid = 0;

  /** @param now ms on a clock that only goes forward. */
  constructor(log: Log, now: () => number = () => performance.now()) {
    this.#log = log;
    this.#now = now;
  }

  warn(text: string): void {
    const now = this.#now();
    if (now - this.#saidAt < quietMs) {
      this.#unsaid++;
      return;
    }
    this.#log.warn(this.#unsaid === 0 ? {} : { othersBefore: this.#unsaid }, text);
    this.#saidAt = now;
    this.#unsaid = 0;
  }
}
