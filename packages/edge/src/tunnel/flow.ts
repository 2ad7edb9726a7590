import type { Socket } from 'node:net';

/** One direction of a tunnel: nothing more is read at its source while its end has yet to take what was written. */
export class Flow {
  readonly #from: Socket;
  readonly #to: Socket;
  readonly #stalledMs: number;
  readonly #stalled: () => void;
  #timer: NodeJS.Timeout | undefined;
  #isWatched = true;

  /** @param stalled is called when the end does not take everything within `stalledMs`. */
  constructor(from: Socket, to: Socket, stalledMs: number, stalled: () => void) {
    this.#from = from;
    this.#to = to;
    this.#stalledMs = stalledMs;
    this.#stalled = stalled;
    to.on('drain', () => {
      this.#taken();
      from.resume();
    });
  }

  write(chunk: Buffer): void {
    if (this.#to.write(chunk)) return;
    this.#from.pause();
    if (this.#isWatched) this.#timer ??= setTimeout(this.#stalled, this.#stalledMs);
  }

  /** It is not looked at any more whether something is taken in time. */
  unwatch(): void {
    this.#isWatched = false;
    this.#taken();
  }

  #taken(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
