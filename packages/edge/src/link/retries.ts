import { backoffMs } from '@pinwheel/membership';
import type { EdgeWorld } from './edge-world.js';

/** Who tries again. */
export interface Retrying {
  retry(): void;
}

const backoff = { firstMs: 50, longestMs: 1000 };
/** One timer for all: nobody waits longer than by this, in ms. */
const tickMs = 25;

/** Sessions that nobody could take: each tries again after a time of its own. */
export class Retries {
  readonly #world: EdgeWorld;
  readonly #dueAt = new Map<Retrying, number>();
  #cancel: (() => void) | undefined;

  constructor(world: EdgeWorld) {
    this.#world = world;
  }

  /** @param failures in a row, this one included. */
  add(session: Retrying, failures: number): void {
    const world = this.#world;
    const waitMs = backoffMs(failures, backoff, () => world.random());
    this.#dueAt.set(session, world.clock.now() + waitMs);
    this.#cancel ??= world.clock.after(tickMs, this.#tick);
  }

  delete(session: Retrying): void {
    this.#dueAt.delete(session);
  }

  stop(): void {
    this.#dueAt.clear();
    this.#cancel?.();
    this.#cancel = undefined;
  }

  readonly #tick = (): void => {
    const { clock } = this.#world;
    const now = clock.now();
    for (const [session, at] of this.#dueAt) {
      if (at > now) continue;
      this.#dueAt.delete(session);
      session.retry();
    }
    this.#cancel = this.#dueAt.size > 0 ? clock.after(tickMs, this.#tick) : undefined;
  };
}
