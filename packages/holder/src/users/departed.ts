import type { Position } from '@pinwheel/protocol';
import { forgetEldest } from './forget-eldest.js';
import { maxStreams } from './user-state.js';

/** Beyond it the oldest are forgotten. */
const mostUsers = 100_000;

interface Departure {
  readonly positions: readonly Position[];
  /** By the node's clock, in ms. */
  readonly until: number;
}

/**
 * What plain sessions that have ended had of streams whose holders may yet hand them over. A plain client that connects
 * again is another session, which says nothing of the one before: without this it would be sent again what that had.
 */
export class Departed {
  readonly #now: () => number;
  readonly #keptMs: number;
  readonly #users = new Map<string, Departure>();

  /** @param keptMs as long as a message is kept. */
  constructor(now: () => number, keptMs: number) {
    this.#now = now;
    this.#keptMs = keptMs;
  }

  /** A session of the user is over. Of two in the same stream it may be either one's client that comes back. */
  add(user: string, positions: readonly Position[]): void {
    const all = new Map((this.of(user) ?? []).map((before) => [before.stream, before]));
    for (const position of positions) {
      const before = all.get(position.stream);
      all.delete(position.stream);
      all.set(position.stream, before !== undefined && before.seq < position.seq ? before : position);
    }
    // in the order of their times
    this.#users.delete(user);
    this.#users.set(user, {
      positions: [...all.values()].slice(-maxStreams),
      until: this.#now() + this.#keptMs,
    });
    if (this.#users.size > mostUsers) forgetEldest(this.#users.keys(), (one) => this.#users.delete(one));
  }

  of(user: string): readonly Position[] | undefined {
    return this.#users.get(user)?.positions;
  }

  sweep(): void {
    const now = this.#now();
    for (const [user, { until }] of this.#users) {
      if (until > now) return;
      this.#users.delete(user);
    }
  }
}
