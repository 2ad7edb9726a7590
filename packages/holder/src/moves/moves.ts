import type { Clock } from '@pinwheel/membership';
import { lastTurn, Migration, type MigrationChange, type MigrationStatus } from '@pinwheel/migration';
import { turnOf } from '@pinwheel/ring';
import type { HeldUser } from '../users/held-user.js';
import type { Users } from '../users/users.js';
import type { Handoffs } from './handoffs.js';
import type { Ownership } from './ownership.js';

export interface MovesOptions {
  readonly users: Users;
  readonly ownership: Ownership;
  readonly handoffs: Handoffs;
  readonly clock: Clock;
  readonly usersPerSecond: number;
  /** Tells the clients of a user who cannot be handed over, because no node is there for it, to connect again. */
  readonly closeDirect: (held: HeldUser) => void;
}

/**
 * A user on its way is served by nobody: however fast the pace, no more than can be handed over within a few
 * hundredths of a second.
 */
const mostOnTheirWay = 256;
/** No pace is faster, in users per second: as fast as they can be handed over. */
const atOnce = 1_000_000;
/** Of the time there is; who cannot go at its turn has the rest. */
const turnsPart = 0.8;
/** A change of the ring concerns everybody: so many are judged in one turn of the event loop, a fraction of a ms. */
const judgedTogether = 500;

/**
 * The continuous list of users who are held here and belong elsewhere, however they came to be, worked through at the
 * pace. Whoever belongs here notices nothing.
 */
export class Moves {
  readonly #options: MovesOptions;
  readonly #migration: Migration;
  /** Who has yet to be judged by the ring as it is now; `undefined` when nobody has. */
  #unjudged: Iterator<HeldUser> | undefined;
  #cancelJudging: () => void = () => {};
  #leaving = false;
  #isStopped = false;

  constructor(options: MovesOptions) {
    this.#options = options;
    const { usersPerSecond, clock } = options;
    const { now, after } = clock;
    this.#migration = new Migration({
      usersPerSecond,
      now,
      after,
      go: (user) => this.#go(user),
      room: () => mostOnTheirWay - options.handoffs.onTheirWay,
    });
  }

  /** Who is under way, or is to be tried again, still has to go, too; who was released has moved. */
  get status(): MigrationStatus {
    const { handoffs } = this.#options;
    const { released, takenBack } = handoffs.counters;
    const { status } = this.#migration;
    const waiting = status.waiting + handoffs.onTheirWay + this.#toBeTriedAgain;
    return { ...status, waiting, moved: released - takenBack };
  }

  /** Users who are neither on the list nor under way meanwhile, and still belong elsewhere. */
  get #toBeTriedAgain(): number {
    const { users, handoffs } = this.#options;
    let count = 0;
    for (const held of handoffs.later) {
      const { user } = held;
      if (users.known(user) !== held || !this.#belongsElsewhere(held)) continue;
      if (!this.#migration.has(user) && !handoffs.isUnderWay(user)) count++;
    }
    return count;
  }

  /** Users who belong elsewhere and have yet to go; while they are being judged, all who may. */
  get foreignUsers(): number {
    return this.#unjudged === undefined ? this.#migration.status.waiting : this.#options.users.userCount;
  }

  /**
   * How far the moves have come: whoever belongs elsewhere and has an earlier turn is gone, or on its way. `undefined` when
   * nobody waits, or it is not known yet who has to.
   */
  get turn(): number | undefined {
    return this.#unjudged === undefined ? this.#migration.turn : undefined;
  }

  /** Judges everybody anew, the first ones at once. */
  ringChanged(): void {
    this.#cancelJudging();
    this.#unjudged = this.#options.users.users()[Symbol.iterator]();
    this.#judgeNext(this.#unjudged);
  }

  #judgeNext(unjudged: Iterator<HeldUser>): void {
    for (let count = 0; count < judgedTogether; count++) {
      const next = unjudged.next();
      if (next.done) {
        this.#unjudged = undefined;
        return;
      }
      this.#list(next.value);
    }
    this.#cancelJudging = this.#options.clock.after(0, () => this.#judgeNext(unjudged));
  }

  /** Puts a user on the list or takes it off; not one that is held no more. */
  judge(held: HeldUser): void {
    if (this.#options.users.known(held.user) === held) this.#list(held);
  }

  #list(held: HeldUser): void {
    if (this.#isStopped || this.#options.handoffs.isUnderWay(held.user)) return;
    if (!this.#belongsElsewhere(held)) this.#migration.delete(held.user);
    // who cannot move at the moment must not come before those who can, time and again
    else this.#migration.add(held.user, held.refusals > 0 ? lastTurn : turnOf(held.hash));
  }

  /** The user is not held any more. */
  gone(user: string): void {
    this.#migration.delete(user);
  }

  /**
   * The node is leaving: everybody goes, even when the ring has nobody else or does not know of it yet. A pace that is too
   * slow for the time there is gets faster.
   */
  leave(withinMs: number): void {
    this.#leaving = true;
    const enough = Math.ceil((1000 * this.#options.users.userCount) / Math.max(1, turnsPart * withinMs));
    if (enough > this.#migration.status.usersPerSecond)
      this.change({ usersPerSecond: Math.min(enough, atOnce) });
    this.ringChanged();
  }

  /** The user goes ahead of its turn. */
  goNow(user: string): void {
    this.#migration.went(user);
    this.#go(user);
  }

  change(change: MigrationChange): void {
    this.#migration.change(change);
  }

  /** Whoever has yet to go goes now, whatever the pace, and whoever was to be tried again later. */
  finish(): void {
    this.change({ paused: false, usersPerSecond: atOnce });
    // those that were refused before are not to wait for long again
    for (const held of this.#options.users.users()) held.refusals = 0;
    this.ringChanged();
  }

  /** Nobody goes any more, not even whoever could not go before and was to be tried again. */
  stop(): void {
    this.#isStopped = true;
    this.#cancelJudging();
    this.#migration.stop();
  }

  #belongsElsewhere(held: HeldUser): boolean {
    const { ownership } = this.#options;
    if (this.#leaving) return true;
    return !ownership.isMine(held.hash) && ownership.state.ring.members.length > 0;
  }

  #go(user: string): void {
    const { users, handoffs, ownership, closeDirect } = this.#options;
    const held = users.get(user);
    if (held === undefined) return;
    const { ring } = ownership.state;
    if (ownership.isMine(held.hash) || ring.members.length === 0) {
      // only a node that leaves sends its own users on: sockets that end here are told now, the others lose their link
      if (this.#leaving) closeDirect(held);
      return;
    }
    if (ownership.isForeign(held.hash)) {
      // a server that is no node takes nobody over; who comes again through an edge comes to it
      closeDirect(held);
      if (this.#leaving || held.linkSessions === 0) return;
    }
    handoffs.start(held);
  }
}
