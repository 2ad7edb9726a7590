/** Lets `burst` messages through at once, and then so many each second. */
export class MessageBucket {
  #tokens = Number.POSITIVE_INFINITY;
  #filledAt = 0;

  /**
   * Takes as many tokens as there are messages, or none.
   *
   * @param now ms, never going back.
   * @returns 0 when they were taken, else after how many ms they could be; `Infinity` for more than `burst`.
   */
  take(messages: number, perSecond: number, burst: number, now: number): number {
    const refilled = this.#tokens + ((now - this.#filledAt) * perSecond) / 1000;
    this.#tokens = Math.min(burst, refilled);
    this.#filledAt = now;
    if (messages > burst) return Number.POSITIVE_INFINITY;
    if (messages > this.#tokens) return ((messages - this.#tokens) * 1000) / perSecond;
    this.#tokens -= messages;
    return 0;
  }
}
