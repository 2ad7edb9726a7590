import type { Clock, RingState } from '@pinwheel/membership';
import type { Receipts } from '@pinwheel/protocol';
import { type Ring, turnOf } from '@pinwheel/ring';
import type { Outcome } from './batch-answer.js';

/** Users who are known to have moved, at most: one that was forgotten costs a hop more. */
const maxMoved = 10_000;
/** So long after a change of the ring former owners are tried, in ms: by then users have moved, or moves are paused. */
const formerMs = 120_000;
/** How many of the last messages weigh in how many of its former users a node has left. */
const memory = 64;
/** The part of them for which a former owner may be one hop too many. */
const mostAstray = 0.5;

interface Addressed {
  readonly user: string;
}

/** Users whose messages went to a member, and go elsewhere now. */
export interface Moved {
  readonly from: string;
  has(user: string): boolean;
}

/**
 * Where a sender's messages go while users move. Behind a change of the ring a user is with the former owner until its
 * turn comes, so that one is tried first, as long as it is there: until it passes the user's message on, and until it passes
 * most of them on. A wrong guess costs a hop, as nodes find a user from wherever a message comes. Knows no socket and no
 * clock of its own.
 */
export class RingPlaces {
  #state: RingState | undefined;
  /** The ring before. */
  #former: Ring | undefined;
  /** Users whom their former owner has not any more. */
  readonly #moved = new Set<string>();
  /** By former owner that was tried: the part of its messages, lately, for which it was one hop too many. */
  readonly #astray = new Map<string, number>();
  /** By former owner: the turn at which its moves are. */
  readonly #turns = new Map<string, number>();
  readonly #after: Clock['after'];
  readonly #settled: () => void;
  #cancelSettling: () => void = () => {};

  /** @param settled called when, some time after a change of the ring, former owners are not tried any more. */
  constructor(after: Clock['after'], settled: () => void) {
    this.#after = after;
    this.#settled = settled;
  }

  get state(): RingState | undefined {
    return this.#state;
  }

  ringChanged(state: RingState): void {
    if (state.ring !== this.#state?.ring) {
      this.stop();
      this.#tryFormer(state.previous[0]);
      if (this.#former !== undefined) this.#cancelSettling = this.#after(formerMs, () => this.#settle());
    }
    this.#state = state;
  }

  stop(): void {
    this.#cancelSettling();
  }

  #settle(): void {
    this.#tryFormer(undefined);
    this.#settled();
  }

  #tryFormer(ring: Ring | undefined): void {
    this.#former = ring;
    this.#moved.clear();
    this.#astray.clear();
    this.#turns.clear();
  }

  /** Id of the member that a user's messages are sent to; `undefined` when the ring is empty, or not there yet. */
  placeOf(user: string): string | undefined {
    if (this.#state === undefined) return undefined;
    const { ring } = this.#state;
    const hash = ring.hashOf(user);
    const owner = ring.ownerOfHash(hash);
    const former = this.#former?.ownerOfHash(hash);
    if (owner === undefined || former === undefined || former === owner) return owner;
    if (!this.#isTried(former, owner) || turnOf(hash) < (this.#turns.get(former) ?? 0)) return owner;
    return this.#moved.has(user) ? owner : former;
  }

  /**
   * Learns from what became of a batch.
   *
   * @returns who has another place than `place` now; `undefined` when nobody has.
   */
  answered(place: string, batch: readonly Addressed[], outcome: Outcome): Moved | undefined {
    const { ring } = this.#state!;
    // what was sent to a former owner may be answered when those are not tried any more
    if (outcome.kind === 'answered') this.#disbelieve(place, batch, outcome.receipts);
    if (this.#former === undefined) return undefined;
    const before = this.#astray.get(place);
    if (before === undefined || before > mostAstray) return undefined;
    const everybody: Moved = { from: place, has: (user) => this.placeOf(user) !== place };
    if (outcome.kind === 'failed') {
      // the owner finds out what has become of its users
      if (outcome.isRest === true) {
        const notOwned = batch.filter(({ user }) => ring.owner(user) !== place);
        return this.#haveMoved(place, notOwned);
      }
      this.#astray.set(place, 1);
      return everybody;
    }
    const { receipts, fingerprint, turn } = outcome;
    const hasAdvanced = fingerprint === ring.fingerprint && turn > (this.#turns.get(place) ?? 0);
    if (hasAdvanced) this.#turns.set(place, turn);
    const passedOn = new Set(receipts.passedOn);
    const gone: Addressed[] = [];
    let astray = before;
    for (const [i, message] of batch.entries()) {
      if (ring.owner(message.user) === place) continue;
      const isAstray = passedOn.has(i) || receipts.status(i) === 'not-owner';
      astray += ((isAstray ? 1 : 0) - astray) / memory;
      if (isAstray) gone.push(message);
    }
    this.#astray.set(place, astray);
    const moved = this.#haveMoved(place, gone);
    return astray > mostAstray || hasAdvanced ? everybody : moved;
  }

  /** Whoever is not the owner by the ring that is known here, and passed nothing on, cannot know that a user is away. */
  #disbelieve(place: string, batch: readonly Addressed[], receipts: Receipts): void {
    for (const [i, { user }] of batch.entries()) {
      if (receipts.status(i) !== 'offline' || receipts.passedOn.includes(i)) continue;
      if (this.#state!.ring.owner(user) !== place) receipts.set(i, 'not-owner');
    }
  }

  #haveMoved(from: string, gone: readonly Addressed[]): Moved | undefined {
    const moved = new Set<string>();
    for (const { user } of gone) {
      // whoever moved last stands last
      this.#moved.delete(user);
      if (this.#moved.size >= maxMoved) this.#moved.delete(this.#moved.values().next().value!);
      this.#moved.add(user);
      moved.add(user);
    }
    return moved.size > 0 ? { from, has: (user) => moved.has(user) } : undefined;
  }

  #isTried(former: string, owner: string): boolean {
    const { members } = this.#state!;
    if (members.get(former)?.kind !== 'node' || members.get(owner)?.kind !== 'node') return false;
    const astray = this.#astray.get(former);
    if (astray === undefined) this.#astray.set(former, 0);
    return astray === undefined || astray <= mostAstray;
  }
}
