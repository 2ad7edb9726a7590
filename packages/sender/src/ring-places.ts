import type { RingState } from '@pinwheel/membership';
import type { Outcome } from './node-client.js';

/** Users who are known to have moved, at most: beyond them it goes by how many have. */
const maxMoved = 10_000;
/** How many of the last messages weigh in how many of its former users a node has left. */
const memory = 64;

/**
 * Where a sender's messages go while users move. Behind a change of the ring a user is with the former owner until its
 * turn comes, so that one is tried first, as long as it is there: until it passes the user's message on, and until it passes
 * most of them on. A wrong guess costs a hop, as nodes find a user from wherever a message comes. Knows no socket and
 * no clock.
 */
export class RingPlaces {
  #state: RingState | undefined;
  /** Users whom their former owner has not any more. */
  readonly #moved = new Set<string>();
  /** By former owner that was tried: the part of its messages, lately, for which it was one hop too many. */
  readonly #astray = new Map<string, number>();

  get state(): RingState | undefined {
    return this.#state;
  }

  ringChanged(state: RingState): void {
    if (state.ring !== this.#state?.ring) {
      this.#moved.clear();
      this.#astray.clear();
    }
    this.#state = state;
  }

  /** Id of the member that a user's messages are sent to; `undefined` when the ring is empty, or not there yet. */
  placeOf(user: string): string | undefined {
    if (this.#state === undefined) return undefined;
    const { ring, previous } = this.#state;
    const hash = ring.hashOf(user);
    const owner = ring.ownerOfHash(hash);
    const former = previous[0]?.ownerOfHash(hash);
    if (owner === undefined || former === undefined || former === owner) return owner;
    return this.#isTried(former, owner) && !this.#moved.has(user) ? former : owner;
  }

  /**
   * Learns from what became of a batch.
   *
   * @returns whether some user's messages have another place now.
   */
  answered(place: string, batch: readonly { readonly user: string }[], outcome: Outcome): boolean {
    const before = this.#astray.get(place);
    if (before === undefined || before > 0.5) return false;
    // the owner finds out what has become of its users
    if (outcome.kind === 'failed') {
      this.#astray.set(place, 1);
      return true;
    }
    const passedOn = new Set(outcome.passedOn);
    const moved = this.#moved.size;
    let astray = before;
    for (const [i, { user }] of batch.entries()) {
      if (this.#state!.ring.owner(user) === place) continue;
      const isAstray = passedOn.has(i) || outcome.receipts.status(i) === 'not-owner';
      astray += ((isAstray ? 1 : 0) - astray) / memory;
      if (isAstray && this.#moved.size < maxMoved) this.#moved.add(user);
    }
    this.#astray.set(place, astray);
    return astray > 0.5 || this.#moved.size > moved;
  }

  #isTried(former: string, owner: string): boolean {
    const { members } = this.#state!;
    if (members.get(former)?.kind !== 'node' || members.get(owner)?.kind !== 'node') return false;
    const astray = this.#astray.get(former);
    if (astray === undefined) this.#astray.set(former, 0);
    return astray === undefined || astray <= 0.5;
  }
}
