import type { Clock } from '@pinwheel/membership';
import type { HeldUser } from '../users/held-user.js';
import { ReleasedUser } from '../users/known-user.js';
import type { Users } from '../users/users.js';
import type { Handoffs } from './handoffs.js';
import type { Ownership } from './ownership.js';
import type { ClaimAnswer, ClaimRequest } from './peers.js';

export interface ClaimAnswersOptions {
  readonly users: Users;
  readonly ownership: Ownership;
  readonly handoffs: Handoffs;
  readonly clock: Clock;
  /** How long a tombstone is kept, and how long a claim waits for the application, in ms. */
  readonly limits: { readonly tombstoneMs: number; readonly claimWaitMs: number };
  /** The user goes ahead of the pace. */
  readonly goNow: (user: string) => void;
  /** The ring seems to be out of date. */
  readonly refreshRing: () => void;
}

/** Answers those who claim users, the side of whoever may hold them. */
export class ClaimAnswers {
  readonly #options: ClaimAnswersOptions;

  constructor(options: ClaimAnswersOptions) {
    this.#options = options;
  }

  /** Resolves when every handoff that this brings about is over, or has waited for its application for long. */
  answer(request: ClaimRequest): Promise<readonly ClaimAnswer[]> {
    return Promise.all(request.users.map((user) => this.#answer(user, request)));
  }

  async #answer(user: string, { from, incarnation }: ClaimRequest): Promise<ClaimAnswer> {
    const { users, handoffs, ownership, goNow, refreshRing, clock, limits } = this.#options;
    const known = users.known(user);
    if (known?.kind === 'held') {
      // only a holder whose own ring agrees gives a user away: else it would come straight back
      if (ownership.state.ring.ownerOfHash(known.hash) === from) goNow(user);
      else refreshRing();
      if (handoffs.isUnderWay(user)) await this.#settled(known);
    } else if (known === undefined) {
      // whoever asks is about to create the user: if the ring comes back to me, that is where it is
      users.set(new ReleasedUser(user, from, Number.NEGATIVE_INFINITY, clock.now() + limits.tombstoneMs));
      return { kind: 'none' };
    }
    return this.#describe(user, from, incarnation);
  }

  /**
   * The handoff is over, or the application takes its time: who asks is to hear that the user is here before it gives the
   * question up. Once frozen it is over soon, and until then nobody can say where the user is.
   */
  #settled(held: HeldUser): Promise<void> {
    const { handoffs, clock, limits } = this.#options;
    return new Promise((settled) => {
      const cancel = clock.after(limits.claimWaitMs, () => {
        if (!held.isFrozen) settled();
      });
      handoffs.whenOver(held.user, () => {
        cancel();
        settled();
      });
    });
  }

  #describe(user: string, from: string, incarnation: string): ClaimAnswer {
    const known = this.#options.users.known(user);
    switch (known?.kind) {
      case undefined:
        return { kind: 'none' };
      case 'held':
        return { kind: 'held' };
      case 'prepared':
        return { kind: 'moved', to: known.copy.from, settled: false };
      case 'released': {
        const { to, unacknowledged } = known;
        if (to !== from) return { kind: 'moved', to, settled: unacknowledged === undefined };
        if (unacknowledged === undefined) return { kind: 'none' };
        if (unacknowledged.incarnation === incarnation)
          return { kind: 'yours', handoff: unacknowledged.handoff };
        // the process that kept the copy is gone: the user is taken back as soon as the ring says so
        this.#options.refreshRing();
        return { kind: 'held' };
      }
      default:
        throw new TypeError(`unknown knowledge ${known satisfies never}`);
    }
  }
}
