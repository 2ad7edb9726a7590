import { createHistogram, performance, type RecordableHistogram } from 'node:perf_hooks';
import type { Reading } from './metrics.js';

/** Each look wakes an idle process. A stall that is shorter may fall between two of them. */
const everyMs = 250;

/**
 * How late a timer of this process is. Node.js' own `monitorEventLoopDelay` counts the time between two looks as delay, too:
 * an idle process that looks four times a second would be 250 ms late.
 */
export class EventLoopDelay {
  #nanos = empty();
  /** Of the window before. */
  #before = empty();
  #began = performance.now();
  readonly #windowMs: number;
  readonly #timer = setInterval(() => this.#look(), everyMs).unref();
  #lookedAt = performance.now();

  /** @param windowMs longer than most scrapes are apart. */
  constructor(windowMs = 60_000) {
    this.#windowMs = windowMs;
  }

  /** Median, 99th percentile and longest of the last one to two windows, in seconds: whoever asks is told the same. */
  read(): readonly Reading[] {
    const both = empty();
    if (this.#before.count > 0) both.add(this.#before);
    if (this.#nanos.count > 0) both.add(this.#nanos);
    return [
      [both.percentile(50) / 1e9, '0.5'],
      [both.percentile(99) / 1e9, '0.99'],
      [both.max / 1e9, '1'],
    ];
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    const now = performance.now();
    const lateMs = now - this.#lookedAt - everyMs;
    this.#lookedAt = now;
    if (now >= this.#began + this.#windowMs) {
      this.#before = this.#nanos;
      this.#nanos = empty();
      this.#began = now;
    }
    this.#nanos.record(Math.max(1, Math.round(lateMs * 1e6)));
  }
}

/** Two digits, of up to an hour in ns: a hundredth of what the default takes. */
function empty(): RecordableHistogram {
  return createHistogram({ lowest: 1, highest: 3.6e12, figures: 2 });
}
