import { backoffMs, type Clock } from '@pinwheel/membership';
import type { ReleasedUser } from '../users/known-user.js';
import type { Users } from '../users/users.js';
import { MemberOutboxes } from './member-outbox.js';
import type { Ownership } from './ownership.js';
import { maxCallUsers, type Peers } from './peers.js';

export interface CommitsOptions {
  readonly self: string;
  readonly incarnation: string;
  readonly users: Users;
  readonly ownership: Ownership;
  readonly peers: Peers;
  readonly clock: Clock;
  readonly random: () => number;
  /** The target has not got the user, and never will. */
  readonly takeBack: (released: ReleasedUser) => void;
}

/**
 * It is not urgent: an ATTACH makes the target the holder, too, and a message has it ask. With the users of many calls
 * together there are a tenth as many calls.
 */
const commitAfterMs = 20;
const retryWait = { firstMs: 50, longestMs: 2000 };

/** Tells targets that copies are theirs, until each has acknowledged it or has left. */
export class Commits {
  readonly #options: CommitsOptions;
  readonly #waiting = new Set<ReleasedUser>();
  readonly #outboxes: MemberOutboxes<ReleasedUser>;
  readonly #failures = new Map<string, number>();
  /** Released, and yet to be told of. */
  #unsaid: ReleasedUser[] = [];
  #stopped = false;

  constructor(options: CommitsOptions) {
    this.#options = options;
    this.#outboxes = new MemberOutboxes({
      most: maxCallUsers,
      call: (member, released) => this.#commit(member, released),
    });
  }

  /** Users whose copies are not acknowledged. */
  get waiting(): number {
    return this.#waiting.size;
  }

  add(released: ReleasedUser): void {
    this.#waiting.add(released);
    this.#unsaid.push(released);
    if (this.#unsaid.length === 1) this.#options.clock.after(commitAfterMs, () => this.#say());
  }

  /** A target that has left, or another process in its place, has no copy. */
  ringChanged(): void {
    for (const released of [...this.#waiting]) {
      if (this.#isSettled(released)) continue;
      const { target, incarnation } = released.unacknowledged!;
      if (this.#options.ownership.hasEnded(target.id, incarnation)) this.#lost(released);
    }
  }

  /** Tells every node that this process ends and has nobody left. Whoever does not hear it awaits its users for a moment. */
  sayLast(): void {
    const { ownership, peers, self, incarnation } = this.#options;
    for (const member of ownership.state.members.values()) {
      if (member.kind !== 'node' || member.id === self) continue;
      peers.commit(member, { from: self, ends: incarnation, users: [] }).catch(() => {});
    }
  }

  stop(): void {
    this.#stopped = true;
    this.#waiting.clear();
  }

  #say(): void {
    const unsaid = this.#unsaid;
    this.#unsaid = [];
    for (const released of unsaid) this.#outboxes.push(released.to, released);
  }

  async #commit(member: string, batch: readonly ReleasedUser[]): Promise<void> {
    const { peers, self, ownership, clock, random } = this.#options;
    const open = batch.filter((released) => !this.#isSettled(released));
    if (open.length === 0 || this.#stopped) return;
    const heard = ownership.asking(member);
    const users = open.map(({ user, unacknowledged }) => ({ user, handoff: unacknowledged!.handoff }));
    try {
      const answer = await peers.commit(open[0]!.unacknowledged!.target, { from: self, users });
      heard(answer.fingerprint, answer.foreignUsers);
      this.#failures.delete(member);
      for (const released of open) {
        if (this.#isSettled(released)) continue;
        // whatever another process in its place says: it has not had the copy. One that had it and knows nothing of it
        // has ended the user since
        if (answer.incarnation !== released.unacknowledged!.incarnation) this.#lost(released);
        else this.#acknowledged(released);
      }
    } catch {
      const failures = (this.#failures.get(member) ?? 0) + 1;
      this.#failures.set(member, failures);
      clock.after(backoffMs(failures, retryWait, random), () => {
        for (const released of open) if (!this.#isSettled(released)) this.#outboxes.push(member, released);
      });
    }
  }

  /** Whether there is nothing more to say: it is acknowledged, taken back, or the user has come here again. */
  #isSettled(released: ReleasedUser): boolean {
    if (!this.#waiting.has(released)) return true;
    if (this.#options.users.known(released.user) === released) return false;
    this.#acknowledged(released);
    return true;
  }

  #acknowledged(released: ReleasedUser): void {
    this.#waiting.delete(released);
    released.unacknowledged = undefined;
  }

  #lost(released: ReleasedUser): void {
    this.#waiting.delete(released);
    this.#options.takeBack(released);
  }
}
