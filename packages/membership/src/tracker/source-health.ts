import { PinwheelError } from '@pinwheel/protocol';
import type { Log } from '../log/log.js';
import type { Clock } from '../time/clock.js';

/** How well the source of members can be read. Logs when that changes, not at every failed try. */
export class SourceHealth {
  readonly #clock: Clock;
  readonly #log: Log;
  #readAt: number;
  #errors = 0;
  #lastError: Error | undefined;

  constructor(clock: Clock, log: Log) {
    this.#clock = clock;
    this.#log = log;
    this.#readAt = clock.now();
  }

  /** Failed reads so far. */
  get errors(): number {
    return this.#errors;
  }

  /** Of the newest read; `undefined` when it was well. */
  get lastError(): Error | undefined {
    return this.#lastError;
  }

  get staleMs(): number {
    return this.#clock.now() - this.#readAt;
  }

  /** Counts and logs a failed read. */
  failed(error: Error): void {
    this.#errors++;
    if (this.#lastError === undefined) {
      this.#log.warn({ reason: error.message }, 'the source of members cannot be read; trying again');
    }
    this.#lastError = error;
  }

  read(): void {
    this.#readAt = this.#clock.now();
    if (this.#lastError === undefined) return;
    this.#lastError = undefined;
    this.#log.info({}, 'the source of members can be read again');
  }

  /** What is known is as old as that. */
  knownFrom(savedAt: string): void {
    this.#readAt = this.#clock.now() - Math.max(0, Date.now() - Date.parse(savedAt));
  }
}

/** Why a process cannot start without its source. The source's own error names the source already. */
export function notHeard(source: string, deadlineMs: number, cause: Error | undefined): string {
  if (cause instanceof PinwheelError) return `${cause.message} (tried for ${deadlineMs} ms)`;
  return `${source} was not heard within ${deadlineMs} ms: ${cause?.message ?? 'no answer'}`;
}
