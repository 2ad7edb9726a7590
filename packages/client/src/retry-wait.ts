/** Whatever a server says, a client asks again within ten minutes. */
const longestToldMs = 600_000;

export interface RetryLimits {
  /** Upper bound of the first wait, in ms. */
  readonly firstMs: number;
  /** Upper bound of every wait, in ms. */
  readonly longestMs: number;
}

/**
 * How long a client waits before it connects again: a random time up to a bound that doubles with every failure (full
 * jitter: clients that lost the same server spread evenly), or what the server has told it.
 */
export class RetryWait {
  readonly #limits: RetryLimits;
  readonly #random: () => number;
  #failures = 0;

  constructor(limits: RetryLimits, random: () => number) {
    this.#limits = limits;
    this.#random = random;
  }

  /** A connection failed, or did not hold: the time to wait, in ms. */
  next(toldMs: number | undefined): number {
    const { firstMs, longestMs } = this.#limits;
    // 2 ** 1024 is Infinity, and the minimum still right
    const mostMs = Math.min(longestMs, firstMs * 2 ** this.#failures);
    const isRepeated = this.#failures > 0;
    this.#failures++;
    const ownMs = this.#random() * mostMs;
    if (toldMs === undefined) return ownMs;
    // a server that says so again and again is not obeyed as fast as the network goes
    return isRepeated ? Math.max(toldMs, ownMs) : toldMs;
  }

  /** A short wait of one's own, for when there is reason to believe that it works now. */
  soon(): number {
    return this.#random() * this.#limits.firstMs;
  }

  /** A connection has held for long enough. */
  good(): void {
    this.#failures = 0;
  }
}

/** What a close reason of the form `{"retryAfterMs":n}` says, at most ten minutes; `undefined` for any other. */
export function toldWait(reason: string): number | undefined {
  if (!reason.startsWith('{')) return undefined;
  try {
    const { retryAfterMs } = JSON.parse(reason) as { readonly retryAfterMs?: unknown };
    if (typeof retryAfterMs !== 'number' || !(retryAfterMs >= 0)) return undefined;
    return Math.min(retryAfterMs, longestToldMs);
  } catch {
    // not JSON: a reason for people
    return undefined;
  }
}
