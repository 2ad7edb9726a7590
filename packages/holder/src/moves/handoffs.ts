import { backoffMs, type Clock, type Member } from '@pinwheel/membership';
import type { HeldUser } from '../users/held-user.js';
import { ReleasedUser, type Unacknowledged } from '../users/known-user.js';
import { LinkSession } from '../users/link-session.js';
import { mostSessionBytes, type UserState } from '../users/user-state.js';
import type { Users } from '../users/users.js';
import { Commits } from './commits.js';
import type { InboundWork } from './inbound-work.js';
import { MemberOutboxes } from './member-outbox.js';
import { canStillCome, merge, stateOf } from './merge.js';
import type { Ownership } from './ownership.js';
import { maxCallBytes, type Peers } from './peers.js';
import { thenRest } from './then-rest.js';

export interface HandoffsOptions {
  readonly self: string;
  readonly incarnation: string;
  readonly users: Users;
  readonly ownership: Ownership;
  readonly peers: Peers;
  readonly clock: Clock;
  readonly random: () => number;
  readonly inbound: InboundWork;
  /** How long the application may take over the message that it is at, in ms; then the user goes later. */
  readonly quiesceMs: number;
  /** How long a tombstone is kept, in ms. */
  readonly tombstoneMs: number;
  /** A session that cannot be handed over: its client has to connect again. */
  readonly closeDirect: (held: HeldUser) => void;
  /** The user could not be handed over now: it belongs on the list again. */
  readonly again: (held: HeldUser) => void;
  /** A user is held here again. */
  readonly tookBack: (held: HeldUser) => void;
}

export interface HandoffCounters {
  started: number;
  released: number;
  refused: number;
  failed: number;
  takenBack: number;
}

interface Leaving {
  readonly held: HeldUser;
  readonly target: Member;
  readonly handoff: string;
  readonly state: UserState;
}

/**
 * Users in one call, all of them frozen until it is answered. With 32 ten thousand users are away in an eighth to a third less
 * time, and everybody's p99 to the receipt meanwhile is an eighth to a quarter longer.
 */
const usersPerCall = 16;
const againWait = { firstMs: 200, longestMs: 5000 };
const late = Symbol('late');

/**
 * Hands users over to their owners, the holder's side: freeze, have the target keep a copy, release. Its own decision
 * to release is the only commit point; until then it can thaw, because a copy serves nobody.
 */
export class Handoffs {
  readonly counters: HandoffCounters = { started: 0, released: 0, refused: 0, failed: 0, takenBack: 0 };
  readonly #options: HandoffsOptions;
  readonly commits: Commits;
  /** Users who may be frozen as soon as a call to their owner can leave; until then they are served as ever. */
  readonly #outboxes: MemberOutboxes<HeldUser>;
  /** Users whose handoff has begun, with those who wait for its end. */
  readonly #underWay = new Map<string, (() => void)[]>();
  /** Users who could not be handed over and have yet to be tried again. */
  readonly #later = new Set<HeldUser>();
  #count = 0;

  constructor(options: HandoffsOptions) {
    this.#options = options;
    this.commits = new Commits({
      ...options,
      takeBack: (released) => this.takeBack(released),
    });
    this.#outboxes = new MemberOutboxes({
      most: usersPerCall,
      maxBytes: maxCallBytes,
      bytesOf: ({ sessions, inbox }) => mostSessionBytes * sessions.length + (inbox?.keptBytes ?? 0),
      call: (member, ready) => thenRest(options.clock, () => this.#prepare(member, ready)),
    });
  }

  /** Users on their way or about to be tried again, the copies of those that have left included. */
  get underWay(): number {
    return this.#underWay.size + this.#later.size + this.commits.waiting;
  }

  /** Users whose handoff has begun and is not over. */
  get onTheirWay(): number {
    return this.#underWay.size;
  }

  /** Users who could not be handed over and have yet to be tried again; some are on their way meanwhile, or gone. */
  get later(): ReadonlySet<HeldUser> {
    return this.#later;
  }

  isUnderWay(user: string): boolean {
    return this.#underWay.has(user);
  }

  /** Calls when the handoff that is under way for the user is over; at once when none is. */
  whenOver(user: string, call: () => void): void {
    const waiting = this.#underWay.get(user);
    if (waiting === undefined) call();
    else waiting.push(call);
  }

  /** Hands a user over to its owner by the ring of the moment. Nothing happens when it belongs here or is on its way. */
  start(held: HeldUser): void {
    const { users, ownership } = this.#options;
    if (users.known(held.user) !== held || this.#underWay.has(held.user)) return;
    if (ownership.isMine(held.hash)) return;
    if (this.#targetOf(held) === undefined) {
      // an owner that is not among the members yet, or not any more, or is no node
      this.#tryLater(held);
      return;
    }
    this.counters.started++;
    this.#underWay.set(held.user, []);
    void this.#quiesce(held);
  }

  ringChanged(): void {
    this.commits.ringChanged();
  }

  stop(): void {
    this.commits.stop();
  }

  async #quiesce(held: HeldUser): Promise<void> {
    const { inbound, clock, quiesceMs } = this.#options;
    const working = inbound.hold(held.user);
    if (working !== undefined) {
      let cancel = (): void => {};
      const timeout = new Promise<typeof late>((resolve) => {
        cancel = clock.after(quiesceMs, () => resolve(late));
      });
      const ended = await Promise.race([working, timeout]);
      cancel();
      if (ended === late) return this.#stays(held);
    }
    const target = this.#targetNow(held);
    if (target !== undefined) this.#outboxes.push(target.id, held);
  }

  /** Where a user goes who can go now; what becomes of the others is seen to here. */
  #targetNow(held: HeldUser): Member | undefined {
    if (this.#options.users.known(held.user) !== held) {
      this.#ended(held);
      return undefined;
    }
    const target = this.#targetOf(held);
    // a copy that is not given up elsewhere could be left behind
    if (target === undefined || held.incoming !== undefined) {
      this.#stays(held);
      return undefined;
    }
    if (held.isWorthKeeping) return target;
    this.#release(held, target, undefined);
    return undefined;
  }

  /** Of those who waited for the call, the ones who still go to that member. From here on nothing is done for them. */
  #freeze(member: string, ready: readonly HeldUser[]): readonly Leaving[] {
    const { incarnation, clock } = this.#options;
    const second = Math.floor(clock.now() / 1000);
    const leaving: Leaving[] = [];
    for (const held of ready) {
      const target = this.#targetNow(held);
      if (target === undefined) continue;
      if (target.id !== member) {
        this.#stays(held);
        continue;
      }
      this.#count++;
      held.freeze();
      const handoff = `${incarnation}-${this.#count}`;
      leaving.push({ held, target, handoff, state: stateOf(held, second) });
    }
    return leaving;
  }

  async #prepare(member: string, ready: readonly HeldUser[]): Promise<void> {
    const { self, incarnation, peers, ownership } = this.#options;
    const leaving = this.#freeze(member, ready);
    if (leaving.length === 0) return;
    const heard = ownership.asking(member);
    try {
      const users = leaving.map(({ held, handoff, state }) => ({ user: held.user, handoff, state }));
      const answer = await peers.prepare(leaving[0]!.target, { from: self, incarnation, users });
      heard(answer.fingerprint, answer.foreignUsers);
      // whoever gave the answer may be gone since, and the copies with it
      const isThere = ownership.isStill(leaving[0]!.target);
      for (const [i, { held, target, handoff, state }] of leaving.entries()) {
        if (answer.answers[i]?.kind === 'kept' && isThere && canStillCome(held, state)) {
          this.#release(held, target, { handoff, state, target, incarnation: answer.incarnation });
        } else {
          this.counters.refused++;
          this.#stays(held);
        }
      }
    } catch {
      this.counters.failed += leaving.length;
      for (const { held } of leaving) this.#stays(held);
    }
  }

  /** The commit point: from here on the user is the target's. */
  #release(held: HeldUser, target: Member, kept: Unacknowledged | undefined): void {
    const { users, clock, tombstoneMs, closeDirect } = this.#options;
    const now = clock.now();
    // the connections of those that end here are told first: nothing that is sent now must count on them
    closeDirect(held);
    const released = new ReleasedUser(held.user, target.id, now, now + tombstoneMs, kept);
    users.set(released);
    this.counters.released++;
    for (const session of held.sessions) {
      if (!(session instanceof LinkSession) || session.link === undefined) continue;
      session.link.repin(session.number, target.id, kept?.handoff ?? '');
      session.link = undefined;
    }
    held.clear();
    if (kept !== undefined) this.commits.add(released);
    held.thaw();
    this.#over(held.user, true);
  }

  /** It could not be handed over, and is served here. */
  #stays(held: HeldUser): void {
    held.thaw();
    if (this.#options.users.known(held.user) !== held) this.#ended(held);
    else {
      this.#over(held.user, false);
      this.#tryLater(held);
    }
    this.#options.users.forgetIfUnneeded(held);
  }

  /** Its last session has ended. The user may have come again meanwhile, and not been judged because of this. */
  #ended({ user }: HeldUser): void {
    const cameAgain = this.#options.users.get(user);
    this.#over(user, cameAgain === undefined);
    if (cameAgain !== undefined) this.#options.again(cameAgain);
  }

  #tryLater(held: HeldUser): void {
    const { users, clock, random, again } = this.#options;
    if (this.#later.has(held)) return;
    held.refusals++;
    this.#later.add(held);
    clock.after(backoffMs(held.refusals, againWait, random), () => {
      this.#later.delete(held);
      if (users.known(held.user) === held) again(held);
    });
  }

  #over(user: string, hasLeft: boolean): void {
    const waiting = this.#underWay.get(user) ?? [];
    this.#underWay.delete(user);
    this.#options.inbound.letGo(user, hasLeft);
    for (const call of waiting) call();
  }

  /**
   * Serves a user again whose new holder has not got it, or cannot be asked. It may have served the user meanwhile: the
   * stream is a new one.
   */
  takeBack(released: ReleasedUser): HeldUser | undefined {
    const { users, ownership, clock, tookBack } = this.#options;
    const { user, unacknowledged } = released;
    if (users.known(user) !== released || unacknowledged === undefined) return undefined;
    this.counters.takenBack++;
    released.unacknowledged = undefined;
    const held = users.hold(user, ownership.state.ring.hashOf(user));
    merge(held, unacknowledged.state, false, clock);
    tookBack(held);
    return held;
  }

  #targetOf({ hash }: HeldUser): Member | undefined {
    const { ownership, self } = this.#options;
    const { ring, members } = ownership.state;
    const owner = ring.ownerOfHash(hash);
    const member = owner === undefined || owner === self ? undefined : members.get(owner);
    return member?.kind === 'node' ? member : undefined;
  }
}
