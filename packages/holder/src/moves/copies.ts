import type { Clock } from '@pinwheel/membership';
import type { InboxBudget } from '../inbox/inbox-budget.js';
import type { HeldUser } from '../users/held-user.js';
import { type Copy, PreparedUser } from '../users/known-user.js';
import type { Users } from '../users/users.js';
import type { Handoffs } from './handoffs.js';
import { memoryOf, merge, restore } from './merge.js';
import type { Ownership } from './ownership.js';
import type { CommitAnswer, CommitRequest, PrepareAnswer, PrepareRequest } from './peers.js';

export interface CopiesOptions {
  readonly users: Users;
  readonly ownership: Ownership;
  readonly clock: Clock;
  readonly handoffs: Handoffs;
  readonly budget: InboxBudget;
  /** Most copies at one time. */
  readonly maxCopies: number;
  /** Whether this node takes users at all. */
  readonly isOpen: () => boolean;
  /** A user has come to be held here: it is judged by the ring. */
  readonly taken: (held: HeldUser) => void;
  /** The ring seems to be out of date. */
  readonly refreshRing: () => void;
}

export interface CopyCounters {
  kept: number;
  refused: number;
  committed: number;
  merged: number;
  dropped: number;
  /** Copies whose source is gone: served from the copy, in a new stream. */
  orphaned: number;
}

/** Takes users over from their holders, the owner's side: a copy serves nobody until the holder has released it. */
export class Copies {
  readonly counters: CopyCounters = {
    kept: 0,
    refused: 0,
    committed: 0,
    merged: 0,
    dropped: 0,
    orphaned: 0,
  };
  readonly #options: CopiesOptions;
  readonly #waiting = new Map<string, Copy>();

  constructor(options: CopiesOptions) {
    this.#options = options;
  }

  get count(): number {
    return this.#waiting.size;
  }

  /** Users whose copies came before `before`, by the node's clock. */
  *olderThan(before: number): Iterable<string> {
    for (const [user, { at }] of this.#waiting) if (at < before) yield user;
  }

  prepare({ from, incarnation, users }: PrepareRequest): readonly PrepareAnswer[] {
    return users.map(({ user, handoff, state }) => {
      const memoryBytes = memoryOf(state);
      const copy = { from, incarnation, handoff, state, memoryBytes, at: this.#options.clock.now() };
      const why = this.#refusal(user, copy) ?? this.#reserve(user, copy);
      if (why === undefined) {
        this.#keep(user, copy);
        this.counters.kept++;
        return { kind: 'kept' };
      }
      this.counters.refused++;
      return { kind: 'refused', why };
    });
  }

  commit({ from, ends, users }: CommitRequest): readonly CommitAnswer[] {
    if (ends !== undefined) this.#options.ownership.ends(from, ends);
    return users.map(({ user, handoff }) => {
      this.commitOne(user, handoff);
      const known = this.#options.users.known(user);
      return { kind: known === undefined || known.kind === 'prepared' ? 'unknown' : 'done' };
    });
  }

  /** The holder has given the user up to this node. Harmless when the copy is not, or not any more, here. */
  commitOne(user: string, handoff: string): void {
    const { users, clock, taken } = this.#options;
    const known = users.known(user);
    const copy = this.#waiting.get(user);
    if (copy === undefined || copy.handoff !== handoff) return;
    this.#takeOut(user, copy);
    if (known?.kind === 'held') {
      known.incoming = undefined;
      known.contested?.delete(copy.from);
      if (known.contested?.size === 0) known.contested = undefined;
      merge(known, copy.state, true, clock);
      this.counters.merged++;
      taken(known);
    } else if (known?.kind === 'prepared') {
      const held = users.hold(user, known.hash);
      restore(held, copy.state, clock);
      held.toSweep();
      this.counters.committed++;
      taken(held);
    }
  }

  /** The holder goes on serving the user: exactly this copy is not needed. */
  drop(user: string, handoff: string): void {
    const { users } = this.#options;
    const copy = this.#waiting.get(user);
    if (copy?.handoff !== handoff) return;
    this.#takeOut(user, copy);
    this.counters.dropped++;
    const known = users.known(user);
    if (known?.kind === 'prepared') users.delete(known);
    else if (known?.kind === 'held') {
      known.incoming = undefined;
      users.forgetIfUnneeded(known);
    }
  }

  /** The copy that came from that member, if there is one. */
  from(user: string, member: string): Copy | undefined {
    const copy = this.#waiting.get(user);
    return copy?.from === member ? copy : undefined;
  }

  /** Serves a user from a copy whose source cannot be asked: in a new stream, since messages may be missing. */
  promote(user: string): HeldUser | undefined {
    const { users, clock, taken } = this.#options;
    const copy = this.#waiting.get(user);
    if (copy === undefined) return users.get(user);
    this.#takeOut(user, copy);
    this.counters.orphaned++;
    const known = users.known(user);
    let held: HeldUser;
    if (known?.kind === 'held') {
      held = known;
      held.incoming = undefined;
    } else {
      held = users.hold(user, this.#options.ownership.state.ring.hashOf(user));
    }
    merge(held, copy.state, false, clock);
    taken(held);
    return held;
  }

  /** Copies whose source has left, or was replaced by another process, are all that there is of those users. */
  ringChanged(): void {
    for (const [user, { from, incarnation }] of [...this.#waiting]) {
      if (this.#options.ownership.hasEnded(from, incarnation)) this.promote(user);
    }
  }

  #refusal(user: string, copy: Copy): string | undefined {
    const { users, ownership, handoffs, maxCopies, isOpen, refreshRing } = this.#options;
    const hash = ownership.state.ring.hashOf(user);
    if (!isOpen()) return 'this node takes no users';
    if (!ownership.isMine(hash)) {
      // else the user comes in vain until this node looks again by itself
      refreshRing();
      return 'the user is not mine by my ring';
    }
    if (handoffs.isUnderWay(user)) return 'the user is on its way from here';
    // else the copy would be taken for that of a process that is gone
    if (ownership.isAnother(copy.from, copy.incarnation))
      return `member ${copy.from} is another process as far as this node knows`;
    const waiting = this.#waiting.get(user);
    if (waiting !== undefined) {
      if (waiting.from !== copy.from) return `there is a copy from ${waiting.from}`;
      return isOlder(copy, waiting) ? 'there is a newer copy' : undefined;
    }
    const known = users.known(user);
    // a copy of ours that is not acknowledged must not be lost; the process that keeps it, when it brings the user back,
    // has had it
    const unacknowledged = known?.kind === 'released' ? known.unacknowledged : undefined;
    if (unacknowledged !== undefined && unacknowledged.incarnation !== copy.incarnation)
      return `the user is on its way to ${unacknowledged.target.id}`;
    return this.#waiting.size < maxCopies
      ? undefined
      : `there are ${maxCopies} copies, the most that are kept`;
  }

  /**
   * Takes the memory that the user will need here: without it what its holder has kept would be let go of. Why there is
   * none.
   */
  #reserve(user: string, { memoryBytes }: Copy): string | undefined {
    const more = memoryBytes - (this.#waiting.get(user)?.memoryBytes ?? 0);
    return this.#options.budget.take(more) ? undefined : 'the memory for inboxes is used up';
  }

  #takeOut(user: string, { memoryBytes }: Copy): void {
    this.#waiting.delete(user);
    this.#options.budget.give(memoryBytes);
  }

  #keep(user: string, copy: Copy): void {
    const { users, ownership } = this.#options;
    this.#waiting.set(user, copy);
    const known = users.known(user);
    if (known?.kind === 'held') known.incoming = copy;
    else users.set(new PreparedUser(user, ownership.state.ring.hashOf(user), copy));
  }
}

/** Calls overtake one another. The number of a handoff stands behind its last hyphen. */
function isOlder(copy: Copy, than: Copy): boolean {
  const numberOf = ({ handoff }: Copy): number => Number(handoff.slice(handoff.lastIndexOf('-') + 1));
  return copy.incarnation === than.incarnation && numberOf(copy) < numberOf(than);
}
