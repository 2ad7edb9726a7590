import { createHistogram, performance } from 'node:perf_hooks';
import type { Reading } from './metrics.js';

/** Each look wakes an idle process. A stall that is shorter may fall between two of them. */
const everyMs = 250;

/**
 * How late a timer of this process is. Node.js' own `monitorEventLoopDelay` counts the time between two looks as delay, too:
 * an idle process that looks four times a second would be 250 ms late.
 */
export class EventLoopDelay {
  readonly #nanos = createHistogram();
  readonly #timer = setInterval(() => this.#look(), everyMs).unref();
  #lookedAt = performance.now();

  /** Median, 99th percentile and longest since the last call, in seconds. */
  take(): readonly Reading[] {
    const readings = [
      [this.#nanos.percentile(50) / 1e9, '0.5'],
      [this.#nanos.percentile(99) / 1e9, '0.99'],
      [this.#nanos.max / 1e9, '1'],
    ] as const;
    this.#nanos.reset();
    return readings;
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    const now = performance.now();
    const lateMs = now - this.#lookedAt - everyMs;
    this.#lookedAt = now;
    this.#nanos.record(Math.max(1, Math.round(lateMs * 1e6)));
  }
}
