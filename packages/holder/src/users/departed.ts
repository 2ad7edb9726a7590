import type { Position } from '@pinwheel/protocol';
import { ExpiringMap } from './expiring-map.js';
import { maxStreams } from './user-state.js';

/** Beyond it the oldest are forgotten. */
const mostUsers = 100_000;

/**
 * What plain sessions that have ended had of streams whose holders may yet hand them over. A plain client that connects
 * again is another session, which says nothing of the one before: without this it would be sent again what that had.
 */
export class Departed {
  readonly #users: ExpiringMap<readonly Position[]>;

  /** @param keptMs as long as a message is kept. */
  constructor(now: () => number, keptMs: number) {
    this.#users = new ExpiringMap(now, keptMs, mostUsers);
  }

  /** A session of the user is over. Of two in the same stream it may be either one's client that comes back. */
  add(user: string, positions: readonly Position[]): void {
    const all = new Map((this.of(user) ?? []).map((before) => [before.stream, before]));
    for (const position of positions) {
      const before = all.get(position.stream);
      all.delete(position.stream);
      all.set(position.stream, before !== undefined && before.seq < position.seq ? before : position);
    }
    this.#users.set(user, [...all.values()].slice(-maxStreams));
  }

  of(user: string): readonly Position[] | undefined {
    return this.#users.get(user);
  }

  sweep(): void {
    this.#users.sweep();
  }
}
