import { totalmem } from 'node:os';

export interface MemoryWatchOptions {
  /** Resident memory at which the process takes no new clients, in bytes. */
  readonly maxRssBytes: number;
  /** Hears when that begins, and when it is over. */
  readonly log: {
    info(fields: object, text: string): void;
    warn(fields: object, text: string): void;
  };
}

const nearMs = 250;
/** Below this part of the bound a look each second is enough: to wake for it costs an idle process more than anything else. */
const farPart = 0.5;
const farMs = 1000;
/** It takes clients again below this part of the bound: around the bound itself it would go back and forth. */
const enoughRoom = 0.95;
const defaultPart = 0.8;

/** Four fifths of what the container may have, or the machine has. */
export function defaultMaxRssBytes(): number {
  // a huge number where there is no bound, or nothing
  const constrained = process.constrainedMemory?.() || Number.POSITIVE_INFINITY;
  return Math.floor(defaultPart * Math.min(totalmem(), constrained));
}

/**
 * Whether the process has so much memory that it should take no more clients. Looks four times a second, once while there is
 * far less.
 */
export class MemoryWatch {
  readonly maxRssBytes: number;
  readonly #log: MemoryWatchOptions['log'];
  #timer: NodeJS.Timeout;
  #isOver = false;
  #rssBytes = 0;

  constructor({ maxRssBytes, log }: MemoryWatchOptions) {
    this.maxRssBytes = maxRssBytes;
    this.#log = log;
    this.#timer = this.#lookIn(nearMs);
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** In bytes, now; what it was when it was last known while the system does not say it, as without a free descriptor. */
  get rssBytes(): number {
    try {
      this.#rssBytes = process.memoryUsage.rss();
    } catch {
      // the next look may know more; without descriptors no new client comes either
    }
    return this.#rssBytes;
  }

  /** Ends its timer. May be called twice. */
  close(): void {
    clearTimeout(this.#timer);
  }

  #lookIn(ms: number): NodeJS.Timeout {
    return setTimeout(() => this.#look(), ms).unref();
  }

  #look(): void {
    const { rssBytes } = this;
    this.#timer = this.#lookIn(rssBytes < farPart * this.maxRssBytes ? farMs : nearMs);
    const isOver = rssBytes >= this.maxRssBytes * (this.#isOver ? enoughRoom : 1);
    if (isOver === this.#isOver) return;
    this.#isOver = isOver;
    const facts = { rssBytes, maxRssBytes: this.maxRssBytes };
    if (isOver) this.#log.warn(facts, 'memory is at its bound: no new clients are taken until there is less');
    else this.#log.info(facts, 'memory is below its bound again: new clients are taken');
  }
}
