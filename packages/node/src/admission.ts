import type { RingTracker } from '@pinwheel/membership';
import { PinwheelError } from '@pinwheel/protocol';
import type { Ownership } from './ownership.js';

export interface AdmissionRequest {
  readonly user: string;
  /** Of the ring by which the edge chose this node; `undefined` for a client that came directly. */
  readonly fingerprint: string | undefined;
}

export interface Admitted {
  /** `undefined`: come in. */
  readonly refusal?: PinwheelError;
  /** With `not-owner`: the member that owns the user. */
  readonly owner?: string;
}

const comeIn: Admitted = {};
const pollMs = 20;

/**
 * Whether a client may have a session here: only where its user belongs. When the edge goes by a ring that this
 * node does not know, one of the two is behind; the node waits a moment for its own ring to catch up.
 */
export class Admission {
  readonly #ownership: Ownership;
  readonly #tracker: RingTracker;
  readonly #catchUpMs: number;
  /** Why nobody comes in any more. */
  #closedBecause: string | undefined;

  constructor(ownership: Ownership, tracker: RingTracker, catchUpMs: number) {
    this.#ownership = ownership;
    this.#tracker = tracker;
    this.#catchUpMs = catchUpMs;
  }

  /** Nobody comes in any more. */
  drain(because: string): void {
    this.#closedBecause = because;
  }

  /** Never rejects; resolves within the time to catch up. */
  admit(request: AdmissionRequest): Admitted | Promise<Admitted> {
    const judged = this.#judge(request.user);
    if (
      judged.refusal === undefined ||
      this.#closedBecause !== undefined ||
      this.#isKnown(request.fingerprint)
    )
      return judged;
    return this.#catchUp(request);
  }

  async #catchUp(request: AdmissionRequest): Promise<Admitted> {
    const last = Date.now() + this.#catchUpMs;
    await this.#tracker.refresh();
    let judged = this.#judge(request.user);
    while (
      judged.refusal !== undefined &&
      this.#closedBecause === undefined &&
      Date.now() < last &&
      !this.#isKnown(request.fingerprint)
    ) {
      await new Promise((resolve) => setTimeout(resolve, pollMs));
      judged = this.#judge(request.user);
    }
    return judged;
  }

  /** A client that names no ring is told at once; one that goes by an older ring of ours, too. */
  #isKnown(fingerprint: string | undefined): boolean {
    const { ring, previous } = this.#ownership.state;
    return (
      fingerprint === undefined ||
      fingerprint === ring.fingerprint ||
      previous.some((before) => before.fingerprint === fingerprint)
    );
  }

  #judge(user: string): Admitted {
    const where = this.#ownership.whereabouts(user);
    if (where.kind === 'mine' && this.#closedBecause === undefined) return comeIn;
    if (where.kind === 'theirs') {
      const owner = where.owner.id;
      return { refusal: new PinwheelError('not-owner', `the user belongs to member ${owner}`), owner };
    }
    const why = this.#closedBecause ?? 'the ring has no owner for this user';
    return { refusal: new PinwheelError('unavailable', why) };
  }
}
