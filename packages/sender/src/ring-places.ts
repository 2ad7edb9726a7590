import type { RingState } from '@pinwheel/membership';
import type { Ring } from '@pinwheel/ring';
import type { Outcome } from './node-client.js';

/** Users who are known to have moved, at most: beyond them it goes by how many have. */
const maxMoved = 10_000;
/** So long after a change of the ring former owners are tried, in ms: by then users have moved, or moves are paused. */
export const formerMs = 120_000;
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
  /** The ring before. */
  #former: Ring | undefined;
  /** Users whom their former owner has not any more. */
  readonly #moved = new Set<string>();
  /** By former owner that was tried: the part of its messages, lately, for which it was one hop too many. */
  readonly #astray = new Map<string, number>();

  get state(): RingState | undefined {
    return this.#state;
  }

  ringChanged(state: RingState): void {
    if (state.ring !== this.#state?.ring) {
      this.settle();
      this.#former = state.previous[0];
    }
    this.#state = state;
  }

  /** Former owners are not tried any more; to be called {@link formerMs} after the ring has changed. */
  settle(): void {
    this.#former = undefined;
    this.#moved.clear();
    this.#astray.clear();
  }

  /** Id of the member that a user's messages are sent to; `undefined` when the ring is empty, or not there yet. */
  placeOf(user: string): string | undefined {
    if (this.#state === undefined) return undefined;
    const { ring } = this.#state;
    const hash = ring.hashOf(user);
    const owner = ring.ownerOfHash(hash);
    const former = this.#former?.ownerOfHash(hash);
    if (owner === undefined || former === undefined || former === owner) return owner;
    return this.#isTried(former, owner) && !this.#moved.has(user) ? former : owner;
  }

  /**
   * Learns from what became of a batch.
   *
   * @returns which of the users whose messages went to `place` have another place now; `undefined` when none has.
   */
  answered(
    place: string,
    batch: readonly { readonly user: string }[],
    outcome: Outcome,
  ): ((user: string) => boolean) | undefined {
    const before = this.#astray.get(place);
    if (before === undefined || before > 0.5) return undefined;
    const isAnotherNow = (user: string): boolean => this.placeOf(user) !== place;
    // the owner finds out what has become of its users
    if (outcome.kind === 'failed') {
      this.#astray.set(place, 1);
      return isAnotherNow;
    }
    const { receipts } = outcome;
    const passedOn = new Set(outcome.passedOn);
    const moved = new Set<string>();
    let astray = before;
    for (const [i, { user }] of batch.entries()) {
      if (this.#state!.ring.owner(user) === place) continue;
      // by its ring it is the owner still, which is not for it to say
      if (receipts.status(i) === 'offline' && !passedOn.has(i)) receipts.set(i, 'not-owner');
      const isAstray = passedOn.has(i) || receipts.status(i) === 'not-owner';
      astray += ((isAstray ? 1 : 0) - astray) / memory;
      if (isAstray && this.#moved.size < maxMoved) {
        this.#moved.add(user);
        moved.add(user);
      }
    }
    this.#astray.set(place, astray);
    if (astray > 0.5) return isAnotherNow;
    return moved.size > 0 ? (user) => moved.has(user) : undefined;
  }

  #isTried(former: string, owner: string): boolean {
    const { members } = this.#state!;
    if (members.get(former)?.kind !== 'node' || members.get(owner)?.kind !== 'node') return false;
    const astray = this.#astray.get(former);
    if (astray === undefined) this.#astray.set(former, 0);
    return astray === undefined || astray <= 0.5;
  }
}
