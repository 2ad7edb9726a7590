import { backoffMs, type Clock } from '@pinwheel/membership';
import type { HeldUser } from '../users/held-user.js';
import type { Users } from '../users/users.js';
import type { Claims } from './claims.js';
import type { Ownership } from './ownership.js';

export interface ContestedOptions {
  readonly users: Users;
  readonly ownership: Ownership;
  readonly claims: () => Claims;
  readonly clock: Clock;
  readonly random: () => number;
}

const askAgain = { firstMs: 250, longestMs: 5000 };
/** So often, over a minute or more, for a user whose sessions have ended: as many as come and go are not remembered. */
const mostWithoutSession = 20;

interface Asked {
  readonly times: number;
  /** Since its last session has ended. */
  readonly timesWithoutSession: number;
  /** Asks nobody for the time being. */
  readonly cancel: () => void;
}

/**
 * Users who may be held elsewhere, too, because somebody who could know did not answer. Asked again until everybody
 * has said something definite or has left, or the user has been gone for long.
 */
export class Contested {
  readonly #options: ContestedOptions;
  readonly #users = new Map<HeldUser, Asked>();
  #isStopped = false;

  constructor(options: ContestedOptions) {
    this.#options = options;
  }

  get count(): number {
    return this.#users.size;
  }

  /** @param silent members that have yet to say whether they hold the user. */
  add(held: HeldUser, silent: Iterable<string>): void {
    held.contested = new Set([...(held.contested ?? []), ...silent]);
    this.watch(held);
  }

  /** The user came from elsewhere with that mark, perhaps. */
  watch(held: HeldUser): void {
    held.contested?.delete(this.#options.ownership.self);
    if (this.#isStopped || held.contested === undefined || this.#users.has(held)) return;
    this.#askLater(held, { times: 0, timesWithoutSession: 0 });
  }

  ringChanged(): void {
    for (const held of [...this.#users.keys()]) this.#settle(held);
  }

  /** Asks nobody any more, whoever is added later. */
  stop(): void {
    this.#isStopped = true;
    for (const { cancel } of this.#users.values()) cancel();
    this.#users.clear();
  }

  #askLater(held: HeldUser, asked: Omit<Asked, 'cancel'>): void {
    const { clock, random } = this.#options;
    // it may have come here again while its members were being asked
    this.#users.get(held)?.cancel();
    const times = asked.times + 1;
    const timesWithoutSession = held.sessions.length > 0 ? 0 : asked.timesWithoutSession + 1;
    const cancel = clock.after(backoffMs(times, askAgain, random) + 20, () => void this.#ask(held));
    this.#users.set(held, { times, timesWithoutSession, cancel });
  }

  async #ask(held: HeldUser): Promise<void> {
    if (!this.#settle(held)) return;
    const { ownership, claims, users } = this.#options;
    for (const id of [...(held.contested ?? [])]) {
      const member = ownership.state.members.get(id);
      if (member === undefined) continue;
      const outcome = await claims().claimAnew(held.user, member);
      if (users.known(held.user) !== held) break;
      if (outcome.kind === 'nobody' || outcome.kind === 'here') held.contested?.delete(id);
    }
    if (this.#settle(held)) this.#askLater(held, this.#users.get(held)!);
  }

  /** Leaves out who has left. Whether somebody has yet to be asked. */
  #settle(held: HeldUser): boolean {
    const { users, ownership } = this.#options;
    if (!this.#users.has(held)) return false;
    for (const id of held.contested ?? []) {
      if (!ownership.state.members.has(id)) held.contested!.delete(id);
    }
    const isGone = this.#users.get(held)!.timesWithoutSession > mostWithoutSession;
    if (held.contested?.size === 0 || isGone) held.contested = undefined;
    const isHere = users.known(held.user) === held;
    if (held.contested !== undefined && isHere) return true;
    this.#users.get(held)!.cancel();
    this.#users.delete(held);
    if (isHere) users.forgetIfUnneeded(held);
    return false;
  }
}
