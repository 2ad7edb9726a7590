import type { Clock } from './client-world.js';

const mostUnacknowledged = 32;
/** So long a message waits at most: a sender may be waiting for it. */
const longestMs = 200;

/** When a client says what it has: after 32 messages, or 200 ms after the first that it has not said. */
export class Acknowledgements {
  readonly #clock: Clock;
  readonly #send: () => void;
  #count = 0;
  #isHandling = false;
  #cancel: (() => void) | undefined;

  /** @param send tells the server of everything so far. */
  constructor(clock: Clock, send: () => void) {
    this.#clock = clock;
    this.#send = send;
  }

  /** A message is about to be handled. */
  came(): void {
    this.#isHandling = true;
  }

  /** A message has been handled. */
  received(): void {
    this.#isHandling = false;
    this.#count++;
    if (this.#count >= mostUnacknowledged) this.#flush();
    else this.#cancel ??= this.#clock.after(longestMs, () => this.#flush());
  }

  /** The application ends it: what it has had, with the message that it is about, is said now or never. */
  sayNow(): void {
    if (this.#count > 0 || this.#isHandling) this.#flush();
  }

  /** Forgets what has not been said. */
  stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    this.#count = 0;
    this.#isHandling = false;
  }

  #flush(): void {
    this.stop();
    this.#send();
  }
}
