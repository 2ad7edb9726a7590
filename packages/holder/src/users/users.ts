import { Rounds } from '@pinwheel/migration';
import { Departed } from './departed.js';
import { Dismissals } from './dismissals.js';
import { forgetEldest } from './forget-eldest.js';
import type { HeldContext } from './held-context.js';
import { HeldUser } from './held-user.js';
import type { KnownUser, ReleasedUser } from './known-user.js';
import type { Session } from './session.js';

/** Tombstones beyond it are forgotten, the oldest first. */
const maxTombstones = 100_000;

/** Hears of who is here, held or on the way. */
export interface Presence {
  came(user: string): void;
  left(user: string): void;
  /** Another node has the user now, and says so itself. */
  moved(user: string): void;
}

export interface UsersOptions
  extends Omit<HeldContext, 'departed' | 'dismissals' | 'began' | 'ended' | 'toSweep'> {
  /** The user is not held any more, because nothing needs it. */
  readonly forgotten: (held: HeldUser) => void;
  readonly sessionEnded: (session: Session, code: number, reason: string) => void;
  readonly presence?: Presence;
}

/** What a node knows of users: whom it holds, of whom it has a copy, and who is elsewhere. */
export class Users {
  readonly dismissals: Dismissals;
  readonly #options: UsersOptions;
  readonly #context: HeldContext;
  readonly #known = new Map<string, KnownUser>();
  readonly #sweeping = new Set<HeldUser>();
  readonly #sweepRounds = new Rounds(this.#sweeping);
  #tombstones = new Set<ReleasedUser>();
  #held = 0;
  #sessions = 0;

  constructor(options: UsersOptions) {
    this.#options = options;
    this.dismissals = new Dismissals(options.now, options.resumeWindowMs);
    this.#context = {
      ...options,
      departed: new Departed(options.now, options.resumeWindowMs),
      dismissals: this.dismissals,
      began: (held) => {
        if (this.#known.get(held.user) === held) this.#sessions++;
      },
      ended: (held, session, code, reason) => this.#ended(held, session, code, reason),
      toSweep: (held) => this.#sweeping.add(held),
    };
  }

  get userCount(): number {
    return this.#held;
  }

  get sessionCount(): number {
    return this.#sessions;
  }

  get tombstoneCount(): number {
    return this.#tombstones.size;
  }

  known(user: string): KnownUser | undefined {
    return this.#known.get(user);
  }

  /** The user if this node holds it. */
  get(user: string): HeldUser | undefined {
    const known = this.#known.get(user);
    return known?.kind === 'held' ? known : undefined;
  }

  /** Everybody whom this node holds. */
  *users(): Iterable<HeldUser> {
    for (const known of this.#known.values()) if (known.kind === 'held') yield known;
  }

  *everybody(): Iterable<KnownUser> {
    yield* this.#known.values();
  }

  /** Begins to hold a user. */
  hold(user: string, hash: number): HeldUser {
    const held = new HeldUser(user, hash, this.#context);
    this.set(held);
    return held;
  }

  /** Replaces what is known of the user. */
  set(known: KnownUser): void {
    const before = this.#known.get(known.user);
    if (before !== undefined) this.#leave(before);
    this.#known.set(known.user, known);
    if (known.kind !== 'released') this.#options.presence?.came(known.user);
    else if (before !== undefined && before.kind !== 'released') this.#options.presence?.moved(known.user);
    if (known.kind === 'held') {
      this.#held++;
      this.#sessions += known.sessions.length;
    } else if (known.kind === 'released') {
      this.#tombstones.add(known);
      if (this.#tombstones.size > maxTombstones) this.#forgetOldest();
    }
  }

  delete(known: KnownUser): void {
    if (this.#known.get(known.user) !== known) return;
    this.#leave(known);
    this.#known.delete(known.user);
    if (known.kind !== 'released') this.#options.presence?.left(known.user);
  }

  /** Forgets the user unless there is a reason not to. */
  forgetIfUnneeded(held: HeldUser): void {
    if (held.isNeeded || this.#known.get(held.user) !== held) return;
    this.delete(held);
    held.clear();
    this.#options.forgotten(held);
  }

  /** The same by name, of whoever is held. */
  forgetUnneeded(user: string): void {
    const held = this.get(user);
    if (held !== undefined) this.forgetIfUnneeded(held);
  }

  /** Users whom {@link sweep} goes round. */
  get toSweep(): number {
    return this.#sweeping.size;
  }

  /**
   * Ends what has waited too long. Everybody is to be looked at about once a second.
   *
   * @param part of them that is looked at now, up to 1, so that it needs not be all at once.
   */
  sweep(part: number): void {
    const now = this.#options.now();
    this.#sweepRounds.go(part, (held) => {
      if (this.#known.get(held.user) !== held || !held.sweep(now)) this.#sweeping.delete(held);
      if (!held.isSwept) this.forgetIfUnneeded(held);
    });
  }

  /** Forgets tombstones, and what is known of sessions that are over, when their time is over. */
  forgetOld(): void {
    const now = this.#options.now();
    this.#context.departed.sweep();
    this.dismissals.sweep();
    for (const tombstone of this.#tombstones) {
      if (tombstone.until > now) break;
      if (tombstone.unacknowledged === undefined) this.delete(tombstone);
    }
  }

  #ended(held: HeldUser, session: Session, code: number, reason: string): void {
    if (this.#known.get(held.user) === held) {
      this.#sessions--;
      this.forgetIfUnneeded(held);
    }
    this.#options.sessionEnded(session, code, reason);
  }

  #leave(known: KnownUser): void {
    if (known.kind === 'held') {
      this.#held--;
      this.#sessions -= known.sessions.length;
    } else if (known.kind === 'released') this.#tombstones.delete(known);
  }

  #forgetOldest(): void {
    forgetEldest(this.#tombstones, (tombstone) => {
      const isOver = tombstone.unacknowledged === undefined;
      if (isOver) this.delete(tombstone);
      return isOver;
    });
  }
}
