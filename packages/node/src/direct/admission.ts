import type { AttachPlace, Holder, Ownership } from '@pinwheel/holder';
import { type RingTracker, systemClock } from '@pinwheel/membership';
import { PinwheelError } from '@pinwheel/protocol';

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

function admittedTo(place: AttachPlace): Admitted {
  switch (place.kind) {
    case 'here':
      return comeIn;
    case 'elsewhere':
      return notOwner(place.member);
    case 'nowhere':
      return { refusal: new PinwheelError('unavailable', 'the user is on the move') };
    default:
      throw new TypeError(`unknown place ${place satisfies never}`);
  }
}

function notOwner(owner: string): Admitted {
  return { refusal: new PinwheelError('not-owner', `the user belongs to member ${owner}`), owner };
}

const pollMs = 20;

/**
 * Whether a client may have a session here: only where its user belongs. When the edge goes by a ring that this
 * node does not know, one of the two is behind; the node waits a moment for its own ring to catch up.
 */
export class Admission {
  readonly #holder: Holder;
  readonly #ownership: Ownership;
  readonly #tracker: RingTracker;
  readonly #catchUpMs: number;
  /** Why nobody comes in any more. */
  #closedBecause: string | undefined;

  constructor(holder: Holder, tracker: RingTracker, catchUpMs: number) {
    this.#holder = holder;
    this.#ownership = holder.ownership;
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
    if (judged.refusal === undefined) return this.#fetch(request.user);
    if (this.#closedBecause !== undefined || this.#isKnown(request.fingerprint)) return judged;
    return this.#catchUp(request);
  }

  async #catchUp(request: AdmissionRequest): Promise<Admitted> {
    const last = systemClock.now() + this.#catchUpMs;
    await this.#tracker.refresh();
    let judged = this.#judge(request.user);
    while (
      judged.refusal !== undefined &&
      this.#closedBecause === undefined &&
      systemClock.now() < last &&
      !this.#isKnown(request.fingerprint)
    ) {
      await new Promise((resolve) => setTimeout(resolve, pollMs));
      judged = this.#judge(request.user);
    }
    return judged.refusal === undefined ? this.#fetch(request.user) : judged;
  }

  /** Whoever may still hold the user hands it over first, so that all its sessions are in one place. */
  #fetch(user: string): Admitted | Promise<Admitted> {
    const place = this.#holder.attaching.place(user, '');
    return place instanceof Promise ? place.then(admittedTo) : admittedTo(place);
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
    if (where.kind === 'theirs') return notOwner(where.owner.id);
    const why = this.#closedBecause ?? 'the ring has no owner for this user';
    return { refusal: new PinwheelError('unavailable', why) };
  }
}
