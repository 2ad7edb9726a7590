import type { Member, RingState } from '@pinwheel/membership';
import { buildRing, type Ring } from '@pinwheel/ring';

/** Where a user is or may be, by what this node knows. */
export type Whereabouts =
  /** This node owns the user; `before` are those who may still hold it, newest owner first. */
  | { readonly kind: 'mine'; readonly before: readonly Member[] }
  | { readonly kind: 'theirs'; readonly owner: Member }
  /** The ring has no members, or its owner cannot be reached. */
  | { readonly kind: 'nobody' };

/** As long as the tracker keeps the rings before, by default. */
const newcomerMs = 120_000;

/**
 * Judges users by the ring as it is. A member that owned a user by an earlier ring may still hold it, until it has
 * said, for this very ring, that it holds nobody who is not its own.
 */
export class Ownership {
  readonly #self: string;
  #state: RingState;
  readonly #now: () => number;
  readonly #newcomerUntil: number;
  /** A written-down list can name a node before it starts: its first ring is not the one its users come from. */
  readonly #withoutMe: Ring;
  #doneMoving = new Set<string>();

  constructor(self: string, state: RingState, now: () => number) {
    this.#self = self;
    this.#state = state;
    this.#now = now;
    this.#newcomerUntil = now() + newcomerMs;
    const { members, settings } = state.ring;
    this.#withoutMe = buildRing(
      members.filter(({ id }) => id !== self),
      settings,
    );
  }

  get state(): RingState {
    return this.#state;
  }

  ringChanged(state: RingState): void {
    if (state.ring !== this.#state.ring) this.#doneMoving = new Set();
    this.#state = state;
  }

  /**
   * A member is about to be asked. Returns what takes its answer: how many users it holds that the ring of this
   * fingerprint gives to others.
   */
  asking(member: string): (fingerprint: string, foreignUsers: number) => void {
    const { ring } = this.#state;
    return (fingerprint, foreignUsers) => {
      // an answer counts only while the ring is the one it was asked for: fingerprints come back, rings do not
      if (this.#state.ring !== ring || fingerprint !== ring.fingerprint) return;
      if (foreignUsers === 0) this.#doneMoving.add(member);
      else this.#doneMoving.delete(member);
    };
  }

  isMine(hash: number): boolean {
    return this.#state.ring.ownerOfHash(hash) === this.#self;
  }

  whereabouts(user: string): Whereabouts {
    const { ring, members } = this.#state;
    const hash = ring.hashOf(user);
    const id = ring.ownerOfHash(hash);
    if (id === this.#self) return { kind: 'mine', before: this.#formerOwners(hash) };
    const owner = id === undefined ? undefined : members.get(id);
    return owner === undefined ? { kind: 'nobody' } : { kind: 'theirs', owner };
  }

  #formerOwners(hash: number): readonly Member[] {
    const { previous, members } = this.#state;
    const found = new Set<Member>();
    const isNewcomer = this.#now() < this.#newcomerUntil;
    for (const ring of isNewcomer ? [...previous, this.#withoutMe] : previous) {
      const id = ring.ownerOfHash(hash);
      if (id === undefined || id === this.#self || this.#doneMoving.has(id)) continue;
      const member = members.get(id);
      if (member?.kind === 'node') found.add(member);
    }
    return [...found];
  }
}
