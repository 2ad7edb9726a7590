import { forgetEldest } from './forget-eldest.js';

/** Values that are of use for a while: all for equally long, so that they go in the order in which they came. */
export class ExpiringMap<Value> {
  readonly #now: () => number;
  readonly #keptMs: number;
  readonly #most: number;
  readonly #entries = new Map<string, { readonly value: Value; readonly until: number }>();

  /** @param most beyond it the oldest are forgotten. */
  constructor(now: () => number, keptMs: number, most: number) {
    this.#now = now;
    this.#keptMs = keptMs;
    this.#most = most;
  }

  get(key: string): Value | undefined {
    return this.#entries.get(key)?.value;
  }

  /** The time of one that is set again begins anew. */
  set(key: string, value: Value): void {
    // in the order of their times
    this.#entries.delete(key);
    this.#entries.set(key, { value, until: this.#now() + this.#keptMs });
    if (this.#entries.size > this.#most)
      forgetEldest(this.#entries.keys(), (one) => this.#entries.delete(one));
  }

  delete(key: string): void {
    this.#entries.delete(key);
  }

  /** Forgets those whose time is over. */
  sweep(): void {
    const now = this.#now();
    for (const [key, { until }] of this.#entries) {
      if (until > now) return;
      this.#entries.delete(key);
    }
  }
}
