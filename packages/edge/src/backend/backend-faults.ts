import { performance } from 'node:perf_hooks';
import type { Log, Member } from '@pinwheel/membership';

/** A member is named so often, whatever happens meanwhile: strangers must not fill the log. */
const quietMs = 1000;

/** What went wrong with backends, for the log. Clients are told neither who their backend is nor where. */
export class BackendFaults {
  readonly #log: Log;
  readonly #now: () => number;
  /** Members that are in the log since `#since`. */
  readonly #named = new Set<string>();
  #since = Number.NEGATIVE_INFINITY;

  /** @param now ms on a clock that only goes forward. */
  constructor(log: Log, now: () => number = () => performance.now()) {
    this.#log = log;
    this.#now = now;
  }

  /** @param reason where there is more to be said. */
  note({ id, address, port, wsPort }: Member, what: string, reason?: string): void {
    const now = this.#now();
    if (now - this.#since >= quietMs) {
      this.#named.clear();
      this.#since = now;
    }
    if (this.#named.has(id)) return;
    this.#named.add(id);
    this.#log.warn({ member: id, address, port: wsPort ?? port, reason }, what);
  }
}
