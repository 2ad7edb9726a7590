import { type AttachRequest, closeCodes } from '@pinwheel/protocol';
import type { Attaching, AttachPlace } from '../moves/attaching.js';
import type { Ownership } from '../moves/ownership.js';
import type { HeldUser } from '../users/held-user.js';
import type { LinkSession } from '../users/link-session.js';
import type { Dismissal } from '../users/session.js';
import type { Users } from '../users/users.js';
import type { NodeLink } from './node-link.js';

export interface LinkAttachesOptions {
  readonly users: Users;
  readonly ownership: Ownership;
  readonly attaching: Attaching;
  readonly began: (session: LinkSession) => void;
  /** The user has a session here: it is judged by the ring. */
  readonly attached: (held: HeldUser) => void;
  readonly refreshRing: () => void;
}

export interface AttachCounters {
  attached: number;
  recovered: number;
  notRecovered: number;
  repinned: number;
  superseded: number;
  dismissed: number;
}

/** Answers ATTACH: pins the session here, or says where to. */
export class LinkAttaches {
  readonly counters: AttachCounters = {
    attached: 0,
    recovered: 0,
    notRecovered: 0,
    repinned: 0,
    superseded: 0,
    dismissed: 0,
  };
  readonly #options: LinkAttachesOptions;

  constructor(options: LinkAttachesOptions) {
    this.#options = options;
  }

  attach(request: AttachRequest, link: NodeLink): void {
    const place = this.#options.attaching.place(request.user, request.handoff);
    if (place instanceof Promise) void this.#later(place, request, link);
    else this.#answer(place, request, link);
  }

  async #later(placing: Promise<AttachPlace>, request: AttachRequest, link: NodeLink): Promise<void> {
    const place = await placing;
    if (!link.isWaiting(request.session)) {
      // the edge has given up; perhaps the user was made for this session alone
      if (place.kind === 'here') this.#options.users.forgetIfUnneeded(place.held);
      return;
    }
    // the user may be on its way again
    const isStillHere = place.kind !== 'here' || this.#isHere(place.held);
    if (isStillHere) this.#answer(place, request, link);
    else this.attach({ ...request, handoff: '' }, link);
  }

  #isHere(held: HeldUser): boolean {
    return this.#options.users.known(held.user) === held && !held.isFrozen;
  }

  #answer(place: AttachPlace, request: AttachRequest, link: NodeLink): void {
    const { refreshRing, ownership, began, attached, users } = this.#options;
    if (place.kind !== 'here') {
      this.counters.repinned++;
      if (request.fingerprint !== ownership.state.ring.fingerprint) refreshRing();
      // nobody: the edge waits a moment and goes by its own ring
      link.repin(request.session, place.kind === 'elsewhere' ? place.member : '', '');
      return;
    }
    const { held } = place;
    const known = held.sessionOf(request.key);
    const dismissal = users.dismissals.of(request, known);
    if (dismissal !== undefined) {
      this.counters.dismissed++;
      // it was in the state of another holder, who did not know
      if (known !== undefined) held.ended(known, dismissal.code, dismissal.reason);
      this.#refuse(request, link, held, dismissal);
      return;
    }
    const attachment = held.attach(request, link);
    if (attachment === undefined) {
      this.counters.superseded++;
      this.#refuse(request, link, held, closeCodes.superseded);
      return;
    }
    const { session, seq, recovered } = attachment;
    this.counters.attached++;
    if (request.resumes) this.counters[recovered ? 'recovered' : 'notRecovered']++;
    link.attached(session, held.stream, seq, recovered);
    held.catchUp(session);
    if (!session.announced && !session.isAnnouncing) {
      session.isAnnouncing = true;
      began(session);
    }
    attached(held);
  }

  #refuse({ session }: AttachRequest, link: NodeLink, held: HeldUser, { code, reason }: Dismissal): void {
    link.end(session, code, reason);
    this.#options.users.forgetIfUnneeded(held);
  }
}
