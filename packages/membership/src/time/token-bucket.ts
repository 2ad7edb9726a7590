/** Lets `burst` calls through at once and one more per `refillMs`. */
export class TokenBucket {
  readonly #burst: number;
  readonly #refillMs: number;
  #tokens: number;
  #filledAt: number;

  constructor(burst: number, refillMs: number, now: number) {
    this.#burst = burst;
    this.#refillMs = refillMs;
    this.#tokens = burst;
    this.#filledAt = now;
  }

  /** Takes a token; returns how long the caller must wait before it acts, in ms. */
  take(now: number): number {
    const refilled = this.#tokens + (now - this.#filledAt) / this.#refillMs;
    this.#tokens = Math.min(this.#burst, refilled) - 1;
    this.#filledAt = now;
    return this.#tokens >= 0 ? 0 : -this.#tokens * this.#refillMs;
  }
}
