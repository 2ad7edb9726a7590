import type { Member, RingState } from '@pinwheel/membership';
import type { Ring } from '@pinwheel/ring';

/** Where a user is or may be, by what this node knows. */
export type Whereabouts =
  /** This node owns the user; `before` are those who may still hold it, the likeliest first. */
  | { readonly kind: 'mine'; readonly before: readonly Member[] }
  | { readonly kind: 'theirs'; readonly owner: Member }
  /** The ring has no members, or its owner cannot be reached. */
  | { readonly kind: 'nobody' };

/**
 * `owner`: each user has one node, the one that owns it by the ring. `anywhere`: a node takes whoever comes, as long as it
 * is in the ring; the ring says where users go when it leaves.
 */
export type Placement = 'owner' | 'anywhere';

/**
 * How many of the next owners on the ring are asked: as many nodes may have joined between a user's holder and its
 * owner while the user has not moved yet.
 */
const successors = 4;
/**
 * So long, in ms, a member's word counts that it holds nobody else's users: it may have been on another ring in between
 * and come back to this one, without this node having heard of it; or this node and a sender may both be behind, and the
 * member may have got the user by a newer ring. Four questions a second are nothing beside the messages that they cover.
 */
export const doneForMs = 250;

/**
 * So long after a member has died, in ms, nobody of its users is called absent: their sockets end at edges, which bring them
 * to their new owners a few thousand a second.
 */
export const awaitedForMs = 3000;

/** Shorter than former rings are kept, in ms: until then they say who is to be asked. */
const knownByRingsMs = 100_000;

interface Dead {
  readonly members: ReadonlySet<string>;
  /** By which their users were theirs, perhaps. */
  readonly rings: readonly Ring[];
  readonly at: number;
}

const mineAlone: Whereabouts = { kind: 'mine', before: [] };

/**
 * Judges users by the ring as it is. Somebody else may still hold a user of mine: a member that owned it by an earlier
 * ring, one of the next on this ring, because a join takes users from those, one that is draining, or one that has said
 * that it has users of others. Each of them counts until it has said, just now and for this very ring, that it has none.
 */
export class Ownership {
  readonly self: string;
  #state: RingState;
  #draining: readonly Member[];
  readonly #now: () => number;
  readonly #placement: Placement;
  /** Whether everybody who comes is this node's. */
  #takesAll: boolean;
  /** Members that hold nobody who is not theirs, and when they were asked. */
  #doneMoving = new Map<string, number>();
  /** Members that have said that they do, and when first: a pause, or many users, makes moves outlast former rings. */
  readonly #moving = new Map<string, number>();
  /** Processes that leave and have said that they have nobody left, by the ids of their members. */
  readonly #empty = new Map<string, string>();
  /** Who has died lately. */
  #dead: readonly Dead[] = [];

  /** @param now a clock that does not go backwards, in ms. */
  constructor(self: string, state: RingState, now: () => number, placement: Placement = 'owner') {
    this.self = self;
    this.#now = now;
    this.#placement = placement;
    this.#state = state;
    this.#draining = drainingOf(state);
    this.#takesAll = this.#mayTakeAll(state.ring);
  }

  get state(): RingState {
    return this.#state;
  }

  ringChanged(state: RingState): void {
    const before = this.#state;
    if (state.ring !== before.ring) this.#doneMoving = new Map();
    this.#state = state;
    this.#noteDead(before);
    for (const known of [this.#moving, this.#empty])
      for (const member of known.keys()) if (!state.members.has(member)) known.delete(member);
    this.#draining = drainingOf(state);
    this.#takesAll = this.#mayTakeAll(state.ring);
  }

  /**
   * A member is about to be asked. Returns what takes its answer: how many users it holds that the ring of this
   * fingerprint gives to others.
   */
  asking(member: string): (fingerprint: string, foreignUsers: number) => void {
    const { ring } = this.#state;
    const at = this.#now();
    return (fingerprint, foreignUsers) => {
      // an answer counts only while the ring is the one it was asked for: fingerprints come back, rings do not
      if (this.#state.ring !== ring || fingerprint !== ring.fingerprint) return;
      if (foreignUsers === 0) {
        this.#doneMoving.set(member, at);
        this.#moving.delete(member);
        // it takes nobody any more by the ring that it has answered for
        const { draining = false, incarnation } = this.#state.members.get(member) ?? {};
        if (draining && incarnation !== undefined) this.#empty.set(member, incarnation);
      } else {
        this.#doneMoving.delete(member);
        this.#empty.delete(member);
        if (!this.#moving.has(member)) this.#moving.set(member, at);
      }
    };
  }

  /** The last word of a member's process of that incarnation: it ends, and has nobody left. */
  ends(member: string, incarnation: string): void {
    // one that was replaced speaks for itself alone
    if (this.hasEnded(member, incarnation)) return;
    this.#empty.set(member, incarnation);
    this.#moving.delete(member);
  }

  /** Whether a member has left the service, or has said that it has nobody left: nobody is there when it cannot be reached. */
  hasLeft({ id, incarnation }: Member): boolean {
    if (this.hasEnded(id, incarnation)) return true;
    return incarnation !== undefined && this.#empty.get(id) === incarnation;
  }

  /** Whether another process than the one of that incarnation is behind the member's id. */
  isAnother(member: string, incarnation: string | undefined): boolean {
    const now = this.#state.members.get(member)?.incarnation;
    return now !== undefined && incarnation !== undefined && now !== incarnation;
  }

  /** Whether that process is not in the service any more. */
  hasEnded(member: string, incarnation: string | undefined): boolean {
    return !this.#state.members.has(member) || this.isAnother(member, incarnation);
  }

  /** Whether the very process that a member stands for is in the service. */
  isStill({ id, incarnation }: Member): boolean {
    const now = this.#state.members.get(id);
    return now !== undefined && now.incarnation === incarnation;
  }

  isMine(hash: number): boolean {
    return this.#takesAll || this.#state.ring.ownerOfHash(hash) === this.self;
  }

  /** Where a user of this node belongs by some ring, by the user's hash. */
  ownersBy(ring: Ring): (hash: number) => string | undefined {
    return this.#mayTakeAll(ring) ? () => this.self : (hash) => ring.ownerOfHash(hash);
  }

  /** Whether the owner is a server that is no node. */
  isForeign(hash: number): boolean {
    const { ring, members } = this.#state;
    return members.get(ring.ownerOfHash(hash) ?? '')?.kind === 'foreign';
  }

  whereabouts(user: string): Whereabouts {
    if (this.#takesAll) return mineAlone;
    const { ring, members } = this.#state;
    const hash = ring.hashOf(user);
    const id = ring.ownerOfHash(hash);
    if (id === this.self) return { kind: 'mine', before: this.#possibleHolders(user, hash) };
    const owner = id === undefined ? undefined : members.get(id);
    return owner === undefined ? { kind: 'nobody' } : { kind: 'theirs', owner };
  }

  /** Whether the user's owner has just died: it may be there all the time, and be here in a moment. */
  isAwaited(user: string): boolean {
    this.#forgetDead();
    if (this.#dead.length === 0) return false;
    const hash = this.#state.ring.hashOf(user);
    return this.#dead.some(({ rings, members }) =>
      rings.some((ring) => members.has(ring.ownerOfHash(hash) ?? '')),
    );
  }

  #noteDead({ ring, members, previous }: RingState): void {
    const died = [...members.values()].filter(
      (member) =>
        member.id !== this.self &&
        this.hasEnded(member.id, member.incarnation) &&
        (ring.members.some(({ id }) => id === member.id) || this.#mayHaveHad(member)),
    );
    if (died.length === 0) return;
    this.#forgetDead();
    const dead = { members: new Set(died.map(({ id }) => id)), rings: [ring, ...previous], at: this.#now() };
    this.#dead = [...this.#dead, dead];
  }

  /** Of one that was not in the ring any more. One that has drained has said that it has nobody left; one that was killed has not. */
  #mayHaveHad({ id, draining, kind, incarnation }: Member): boolean {
    if (this.#moving.has(id)) return true;
    return draining && kind === 'node' && (incarnation === undefined || this.#empty.get(id) !== incarnation);
  }

  #forgetDead(): void {
    if (this.#dead.length === 0) return;
    const now = this.#now();
    this.#dead = this.#dead.filter(({ at }) => now < at + awaitedForMs);
  }

  #mayTakeAll({ members }: Ring): boolean {
    return this.#placement === 'anywhere' && members.some(({ id }) => id === this.self);
  }

  #isDoneMoving(member: string): boolean {
    const at = this.#doneMoving.get(member);
    return at !== undefined && this.#now() < at + doneForMs;
  }

  #possibleHolders(user: string, hash: number): readonly Member[] {
    const { ring, previous, members } = this.#state;
    const found = new Set<Member>();
    const add = (member: Member | undefined): void => {
      if (member?.kind !== 'node' || member.id === this.self || this.#isDoneMoving(member.id)) return;
      found.add(member);
    };
    for (const before of previous) add(members.get(before.ownerOfHash(hash) ?? ''));
    for (const id of ring.owners(user, 1 + successors)) add(members.get(id));
    for (const member of this.#draining) add(member);
    const before = this.#now() - knownByRingsMs;
    for (const [id, since] of this.#moving) if (since <= before) add(members.get(id));
    return [...found];
  }
}

function drainingOf({ members }: RingState): readonly Member[] {
  return [...members.values()].filter(({ draining }) => draining);
}
