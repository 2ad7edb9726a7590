import type { Clock } from './client-world.js';

/** Bytes that were written, and how many of them have left, as far as that is known. */
export interface SentBytes {
  readonly written: number;
  readonly left: number;
}

/** The part of the time in which nothing need be heard; the rest is for the answer. */
const quietShare = 2 / 3;
/** A timer that is later than this shows that the process stood still. */
const noticeableMs = 100;

/**
 * Notices a connection that is dead without a word. It asks when nothing was heard for two thirds of the time, and gives
 * up when nothing comes in the last third. A process that slept has asked nobody meanwhile, or not read the answer: it asks when it
 * wakes up, or waits once more. On a slow network the question stands behind what was written before: while that leaves,
 * there is somebody who takes it.
 */
export class KeepAlive {
  readonly #clock: Clock;
  readonly #quietMs: number;
  readonly #answerMs: number;
  readonly #ask: () => void;
  readonly #dead: (silentMs: number) => void;
  readonly #bytes: () => SentBytes;
  readonly #patience: () => number;
  /** Of what was written up to the question, how much had left when it was looked at last. */
  #left = 0;
  #askedBehind = 0;
  #heardAt: number;
  #asking = false;
  #judgeAt = 0;
  #hasWaitedAgain = false;
  #cancel: () => void;

  /**
   * @param ask sends what the other side answers.
   * @param dead is called at most once, with the time for which nothing was heard.
   * @param bytes what was sent so far.
   * @param patience how many times the usual time there is for an answer.
   */
  constructor(
    clock: Clock,
    keepAliveMs: number,
    ask: () => void,
    dead: (silentMs: number) => void,
    bytes: () => SentBytes,
    patience: () => number,
  ) {
    this.#clock = clock;
    this.#quietMs = keepAliveMs * quietShare;
    this.#answerMs = keepAliveMs - this.#quietMs;
    this.#ask = ask;
    this.#dead = dead;
    this.#bytes = bytes;
    this.#patience = patience;
    this.#heardAt = clock.now();
    this.#cancel = clock.after(this.#quietMs, () => this.#look());
  }

  /** Something came. */
  heard(): void {
    this.#heardAt = this.#clock.now();
    this.#asking = false;
  }

  /** Asks now, for example because the network has changed. */
  check(): void {
    if (this.#asking) return;
    this.#cancel();
    this.#asking = true;
    this.#hasWaitedAgain = false;
    this.#judgeLater();
    this.#ask();
    const { written, left } = this.#bytes();
    this.#askedBehind = written;
    this.#left = left;
  }

  stop(): void {
    this.#cancel();
  }

  #look(): void {
    const restMs = this.#heardAt + this.#quietMs - this.#clock.now();
    if (restMs < 1) this.check();
    else this.#cancel = this.#clock.after(restMs, () => this.#look());
  }

  #judgeLater(): void {
    const answerMs = this.#answerMs * this.#patience();
    this.#judgeAt = this.#clock.now() + answerMs;
    this.#cancel = this.#clock.after(answerMs, () => this.#judge());
  }

  #judge(): void {
    const hasSlept = this.#clock.now() > this.#judgeAt + noticeableMs;
    const before = this.#left;
    // what is written behind the question says nothing: the kernel takes it of a dead connection, too
    this.#left = Math.min(this.#bytes().left, this.#askedBehind);
    if (!this.#asking) this.#look();
    else if (this.#left > before) this.#judgeLater();
    // the answer may be there, and yet to be read; a hidden page is late each time
    else if (hasSlept && !this.#hasWaitedAgain) {
      this.#hasWaitedAgain = true;
      this.#judgeLater();
    } else this.#dead(Math.round(this.#clock.now() - this.#heardAt));
  }
}
