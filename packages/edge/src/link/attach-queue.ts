import { createPace, type Pace } from '@pinwheel/migration';
import type { EdgeWorld } from './edge-world.js';

/** Who waits for a turn. */
export interface Queued {
  turn(): void;
}

/** Timers are not finer than this; several go together instead. */
const leastWaitMs = 10;

/**
 * Sessions that are to be attached again, at a pace and first come first served: a node that is lost must not become a
 * storm for those that are left.
 */
export class AttachQueue {
  readonly #world: EdgeWorld;
  readonly #pace: Pace;
  readonly #waiting = new Set<Queued>();
  #isScheduled = false;
  #cancel: (() => void) | undefined;
  #gone = 0;

  constructor(world: EdgeWorld, perSecond: number) {
    this.#world = world;
    this.#pace = createPace({ perSecond, now: () => world.clock.now() });
  }

  get size(): number {
    return this.#waiting.size;
  }

  /** Those who have had their turn. */
  get gone(): number {
    return this.#gone;
  }

  get perSecond(): number {
    return this.#pace.perSecond;
  }

  /** Whoever is in it already keeps the place. */
  add(session: Queued): void {
    this.#waiting.add(session);
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    this.#world.soon(this.#run);
  }

  has(session: Queued): boolean {
    return this.#waiting.has(session);
  }

  delete(session: Queued): void {
    this.#waiting.delete(session);
  }

  setPace(perSecond: number): void {
    this.#pace.setRate(perSecond);
  }

  /** Nobody has a turn any more. */
  stop(): void {
    this.#waiting.clear();
    this.#cancel?.();
    this.#cancel = undefined;
  }

  readonly #run = (): void => {
    this.#cancel = undefined;
    let going = this.#pace.take(this.#waiting.size);
    for (const session of this.#waiting) {
      if (going-- <= 0) break;
      this.#waiting.delete(session);
      this.#gone++;
      session.turn();
    }
    this.#isScheduled = this.#waiting.size > 0;
    if (!this.#isScheduled) return;
    this.#cancel = this.#world.clock.after(Math.max(leastWaitMs, this.#pace.msUntilNext()), this.#run);
  };
}
