import type { AttachRequest } from '@pinwheel/protocol';
import { ExpiringMap } from './expiring-map.js';
import type { LinkSession } from './link-session.js';
import type { Dismissal } from './session.js';

/** Beyond it the oldest are forgotten. */
const mostSessions = 100_000;

interface Dismissed extends Dismissal {
  /** Of the last connection that the session had here. */
  readonly epoch: number;
}

/** Sessions that were closed while they were away: their clients are told when they come. */
export class Dismissals {
  readonly #sessions: ExpiringMap<Dismissed>;

  /** @param keptMs as long as a session may be away. */
  constructor(now: () => number, keptMs: number) {
    this.#sessions = new ExpiringMap(now, keptMs, mostSessions);
  }

  add({ held, id, epoch }: LinkSession, { code, reason }: Dismissal): void {
    this.#sessions.set(nameOf(held.user, id), { code, reason, epoch });
  }

  /**
   * What a connection is told instead of being attached: a newer one once, an older one, which may be dead, as often as it comes.
   *
   * @param known the session, if there is one.
   */
  of({ user, key, epoch }: AttachRequest, known: LinkSession | undefined): Dismissal | undefined {
    const name = nameOf(user, key);
    const dismissed = this.#sessions.get(name);
    if (dismissed === undefined) return undefined;
    // it has come again at another node since, which has handed it over
    const isStale = known !== undefined && known.epoch > dismissed.epoch;
    if (isStale || epoch > dismissed.epoch) this.#sessions.delete(name);
    return isStale ? undefined : dismissed;
  }

  sweep(): void {
    this.#sessions.sweep();
  }
}

/** Of a session: its key is what its client says, so that another user's may be the same. */
function nameOf(user: string, key: string): string {
  return `${user.length} ${user} ${key}`;
}
