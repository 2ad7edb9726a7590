import { performance } from 'node:perf_hooks';
import { backoffMs } from '../time/backoff.js';
import { sleep } from '../time/sleep.js';
import { TokenBucket } from '../time/token-bucket.js';
import type { HealthAnswered } from './consul-calls.js';
import { nextIndex } from './consul-index.js';

export interface ConsulWatchOptions {
  /** One read; with an index it may take as long as the source's wait. Rejects at its deadline or on abort. */
  readonly read: (index: string | undefined, signal: AbortSignal) => Promise<HealthAnswered>;
  readonly answered: (answer: HealthAnswered) => void;
  readonly failed: (error: Error) => void;
  /** Bound of the first wait after a failure, in ms. */
  readonly firstRetryMs: number;
  /** Bound of any wait after a failure, in ms. */
  readonly longestRetryMs: number;
  /** Two reads at once, then one per this time, in ms: an index that is always 0 must not become a busy loop. */
  readonly pauseMs: number;
}

/**
 * A blocking-query loop. It retries without end, resets its index after any error and whenever the index goes back,
 * and is one reader: what it hands on is never older than what it handed on before.
 */
export class ConsulWatch {
  readonly #options: ConsulWatchOptions;
  readonly #closed = new AbortController();
  readonly #bucket: TokenBucket;
  /** Ends what may be cut short: a read that waits for a change, a pause. Not a read that answers at once. */
  #cut = new AbortController();
  #waiting: (() => void)[] = [];

  constructor(options: ConsulWatchOptions) {
    this.#options = options;
    this.#bucket = new TokenBucket(2, options.pauseMs, performance.now());
    void this.#run();
  }

  /** Cuts the wait that is under way short and reads soon; resolves when that was tried. */
  refresh(): Promise<void> {
    if (this.#isClosed()) return Promise.resolve();
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      this.#cut.abort();
    });
  }

  close(): void {
    this.#closed.abort();
    this.#cut.abort();
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  async #run(): Promise<void> {
    let index: string | undefined;
    let failures = 0;
    while (!this.#isClosed()) {
      // even a refresh waits for its turn
      await sleep(this.#bucket.take(performance.now()), this.#closed.signal);
      if (this.#isClosed()) return;
      // whoever asks from here on wants something newer than what this read may give
      const served = this.#waiting.splice(0);
      if (served.length > 0) index = undefined;
      this.#cut = new AbortController();
      const cut = this.#cut.signal;
      // `close` aborts both
      const abort = index === undefined ? this.#closed.signal : cut;
      try {
        const answer = await this.#options.read(index, abort);
        index = nextIndex(answer.index, index);
        failures = 0;
        if (!this.#isClosed()) this.#options.answered(answer);
      } catch (error) {
        index = undefined;
        if (!abort.aborted) {
          failures++;
          this.#options.failed(error instanceof Error ? error : new Error(String(error)));
        }
      }
      for (const resolve of served) resolve();
      const { firstRetryMs: firstMs, longestRetryMs: longestMs } = this.#options;
      if (failures === 0) continue;
      const waitMs = backoffMs(failures, { firstMs, longestMs });
      // in trouble everybody asks: not all of them at the same moment, nor without end
      const quietMs = Math.min(waitMs, 2 * this.#options.pauseMs * (0.5 + Math.random()));
      await sleep(quietMs, this.#closed.signal);
      await sleep(waitMs - quietMs, cut);
    }
  }

  #isClosed(): boolean {
    return this.#closed.signal.aborted;
  }
}
