import type { Log } from '../log/log.js';
import type { RingState } from './ring-state.js';

type Listener = (current: RingState, before: RingState) => void;

/** Tells subscribers of each change in order, even if one of them causes the next; one that throws is logged. */
export class RingSubscribers {
  readonly #log: Log;
  readonly #listeners = new Set<Listener>();
  readonly #changes: Parameters<Listener>[] = [];
  #telling = false;

  constructor(log: Log) {
    this.#log = log;
  }

  add(listener: Listener): () => void {
    // a function of its own, so that one listener can be there twice
    const own: Listener = (current, before) => listener(current, before);
    this.#listeners.add(own);
    return () => {
      this.#listeners.delete(own);
    };
  }

  tell(current: RingState, before: RingState): void {
    this.#changes.push([current, before]);
    if (this.#telling) return;
    this.#telling = true;
    for (let change = this.#changes.shift(); change !== undefined; change = this.#changes.shift()) {
      for (const listener of [...this.#listeners]) this.#call(listener, change);
    }
    this.#telling = false;
  }

  clear(): void {
    this.#listeners.clear();
  }

  #call(listener: Listener, change: Parameters<Listener>): void {
    // one that was taken out by another listener is not called any more
    if (!this.#listeners.has(listener)) return;
    try {
      listener(...change);
    } catch (error) {
      this.#log.error({ error: String(error) }, 'a subscriber of the ring failed');
    }
  }
}
