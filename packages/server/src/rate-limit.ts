/** What may come in a second; 0 is no bound. */
export interface RateBounds {
  readonly messagesPerSecond: number;
  readonly bytesPerSecond: number;
}

/** Allows so many messages and bytes a second; what one second allows may come at once. Has no timer. */
export class RateLimit {
  readonly #messagesPerSecond: number;
  readonly #bytesPerSecond: number;
  #messages: number;
  #bytes: number;
  #filledAt: number;

  /** @param now in ms, by a clock that does not go backwards, as in `take`. */
  constructor({ messagesPerSecond, bytesPerSecond }: RateBounds, now: number) {
    this.#messagesPerSecond = boundOf(messagesPerSecond);
    this.#bytesPerSecond = boundOf(bytesPerSecond);
    this.#messages = this.#messagesPerSecond;
    this.#bytes = this.#bytesPerSecond;
    this.#filledAt = now;
  }

  /** Whether they are within both bounds. Those that are not are not counted. */
  take(now: number, messages: number, bytes: number): boolean {
    const seconds = (now - this.#filledAt) / 1000;
    this.#filledAt = now;
    const perSecond = this.#messagesPerSecond;
    const bytesPerSecond = this.#bytesPerSecond;
    this.#messages = Math.min(perSecond, this.#messages + seconds * perSecond);
    this.#bytes = Math.min(bytesPerSecond, this.#bytes + seconds * bytesPerSecond);
    if (messages > this.#messages || bytes > this.#bytes) return false;
    this.#messages -= messages;
    this.#bytes -= bytes;
    return true;
  }
}

function boundOf(perSecond: number): number {
  return perSecond === 0 ? Number.MAX_SAFE_INTEGER : perSecond;
}
