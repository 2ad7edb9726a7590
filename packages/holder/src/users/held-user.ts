import { type AttachRequest, closeCodes, type Position } from '@pinwheel/protocol';
import { Inbox } from '../inbox/inbox.js';
import { type AckWait, AckWaits } from './ack-waits.js';
import { type AttachPosition, attachPosition, coversOf, hasGap, heardFrom } from './attach-position.js';
import type { HeldContext } from './held-context.js';
import type { Copy } from './known-user.js';
import { LinkSession, type LinkSessionStart, type SessionLink } from './link-session.js';
import { oneTooManyAway } from './one-too-many-away.js';
import type { Dismissal, Session } from './session.js';
import type { Absorbed } from './user-state.js';

/** RFC 6455: no close frame came. */
const goneAway = 1006;

export type Attachment = AttachPosition & { readonly session: LinkSession };

/** A user whom this node holds. */
export class HeldUser {
  readonly kind = 'held';
  readonly user: string;
  /** The user's point, kept so that a ring change costs no hashing. */
  readonly hash: number;
  readonly sessions: Session[] = [];
  /** Places in the batch that is being delivered; empty in between. */
  readonly picked: number[] = [];
  /** Name of the user's stream; empty until the first session that can come back. */
  stream = '';
  inbox: Inbox | undefined;
  /** Sessions that can come back. */
  linkSessions = 0;
  /** It is on the way to another node: nothing is done for it until the outcome is known. */
  isFrozen = false;
  /** A copy from another holder, which has not been given up there. */
  incoming: Copy | undefined;
  /** Members that may hold the user too and have yet to say. */
  contested: Set<string> | undefined;
  absorbed: readonly Absorbed[] | undefined;
  /** Of a stream that was merged into this one messages had been let go of: whoever comes from another may lack them. */
  isPartial = false;
  /** Whether the next sweep looks at it. */
  isSwept = false;
  /** How often it could not be handed over in a row. */
  refusals = 0;
  readonly #context: HeldContext;
  #ackWaits: AckWaits | undefined;
  #looksWhenThawed: (() => void)[] | undefined;

  /** @param hash the user's point on the ring. */
  constructor(user: string, hash: number, context: HeldContext) {
    this.user = user;
    this.hash = hash;
    this.#context = context;
  }

  /** Whether there is a reason to remember the user. */
  get isNeeded(): boolean {
    const isAwaited = this.contested !== undefined || this.incoming !== undefined;
    return this.sessions.length > 0 || isAwaited || this.isFrozen;
  }

  /** A session has been closed that is away: its client is told when it comes. */
  dismissed(session: LinkSession, how: Dismissal): void {
    if (this.sessions.includes(session)) this.#context.dismissals.add(session, how);
  }

  /** Whoever has only sockets here brings nothing along. */
  get isWorthKeeping(): boolean {
    return this.linkSessions > 0 || this.contested !== undefined;
  }

  /** The inbox, and a stream to number. */
  openInbox(): Inbox {
    if (this.inbox === undefined) this.renewStream(1);
    return this.inbox!;
  }

  /** Begins a stream. Nobody's position is of use in it. */
  renewStream(next: number, stream = this.#context.newStream()): void {
    const { budget, limits } = this.#context;
    this.inbox?.clear();
    this.stream = stream;
    this.inbox = new Inbox(budget, limits, next);
  }

  /** The stream's numbers have run out: everybody goes on in a new one. */
  restartStream(): void {
    this.renewStream(1);
    // said of the old numbers
    this.absorbed = undefined;
    for (const session of this.sessions) {
      if (!(session instanceof LinkSession)) continue;
      session.written = session.acked = session.begins = 0;
      session.link?.gap(session.number, this.stream, 0, session.taken);
    }
  }

  /** Whether there is somebody for whom a message can be kept that nobody can be sent now. */
  get canWait(): boolean {
    return this.sessions.some((session) => session instanceof LinkSession && session.canWait);
  }

  sessionOf(key: string): LinkSession | undefined {
    return this.sessions.find((one): one is LinkSession => one.id === key && one instanceof LinkSession);
  }

  addSession(session: Session): void {
    this.sessions.push(session);
    if (session.kind === 'link') this.linkSessions++;
    this.#context.began(this);
  }

  /** Pins a session to a link; what it missed is for {@link catchUp}. `undefined`: a newer connection of it is here. */
  attach(request: AttachRequest, link: SessionLink): Attachment | undefined {
    const inbox = this.openInbox();
    const { key, epoch, resumes, positions, acknowledges } = request;
    let session = this.sessionOf(key);
    if (session !== undefined && session.epoch > epoch) return undefined;
    const isNewConnection = session === undefined || session.epoch < epoch;
    const here = { stream: this.stream, inbox, absorbed: this.absorbed };
    // one that is known here and has no position has never heard that it was attached: it goes on where it began
    const began = session === undefined ? undefined : [{ stream: this.stream, seq: session.acked }];
    const position = attachPosition(here, resumes ? positions : began);
    const isToldOfGap = hasGap(session?.gapAt, this.stream, positions);
    const from = { ...position, recovered: position.recovered && !isToldOfGap };
    if (session === undefined) {
      const start: LinkSessionStart = { key, edge: link.edge, since: Date.now(), acknowledges, epoch };
      session = new LinkSession(this, start, from.seq);
      if (!resumes && !acknowledges) session.former = this.#context.departed.of(this.user);
      this.addSession(session);
    } else if (session.link !== undefined) {
      // with the same epoch, too: an edge that attaches a connection anew has done with its number, and hears nothing
      const { code, reason } = closeCodes.superseded;
      session.link.end(session.number, code, reason);
    }
    session.epoch = epoch;
    session.edge = link.edge;
    session.link = link;
    session.number = request.session;
    session.paused = false;
    session.isComing = false;
    session.leaving = undefined;
    session.written = from.seq;
    if (!from.recovered) {
      session.begins = from.seq;
      session.gapAt = heardFrom(from.seq, this.stream, positions);
    } else if (!acknowledges || isNewConnection) {
      // else it is what an edge has written to a client that acknowledges, which may never have read it
      session.gapAt = null;
    }
    // this stream's place, too: what stood before it may come back by way of another stream
    if (resumes) session.covers = coversOf(positions);
    return { session, ...from };
  }

  /** Something that the session should have had is lost: it is told, now and until it has certainly heard of it. */
  lost(session: LinkSession): void {
    // one that is away may have had more than this node knows of
    session.gapAt = session.link === undefined ? this.openInbox().next : session.written + 1;
    session.link?.gap(session.number, this.stream, session.written, session.taken);
  }

  /** Writes what the session has missed, as far as it can be written to. */
  catchUp(session: LinkSession): void {
    this.#writeMissed(session);
    session.leaveWhenDone();
  }

  #writeMissed(session: LinkSession): void {
    const { inbox } = this;
    if (inbox === undefined || !session.isLive || session.written >= inbox.next - 1) return;
    const oldest = inbox.firstKept - 1;
    if (session.written < oldest) {
      session.written = session.begins = oldest;
      session.link!.gap(session.number, this.stream, oldest, session.taken);
      this.#ackWaits?.look();
    }
    for (const { seq, id, binary, data, origins } of inbox.after(session.written)) {
      if (!session.isLive) return;
      if (session.hasHad({ stream: this.stream, seq }, origins)) session.written = seq;
      else session.writeKept(seq, id, binary, data);
    }
  }

  /** The session's link or connection is gone; it may come back. */
  detach(session: LinkSession): void {
    const { now, resumeWindowMs, plainWindowMs } = this.#context;
    session.link = undefined;
    session.awayUntil = now() + (session.acknowledges ? resumeWindowMs : plainWindowMs);
    this.toSweep();
    // whoever comes again and again as somebody new leaves no more behind than can be looked through
    const tooMany = oneTooManyAway(this.sessions);
    if (tooMany !== undefined) this.ended(tooMany, goneAway, 'more sessions are away than are awaited');
    this.#ackWaits?.look();
  }

  /** A session is over; code and reason as far as they are known. */
  ended(session: Session, code: number, reason: string): void {
    const at = this.sessions.indexOf(session);
    if (at === -1) return;
    this.sessions.splice(at, 1);
    if (session instanceof LinkSession) {
      this.linkSessions--;
      this.#released();
      const had = session.hadElsewhere;
      if (had !== undefined) this.#context.departed.add(this.user, had);
      this.#ackWaits?.ended(session);
    }
    this.#context.ended(this, session, code, reason);
  }

  /** The session has everything up to `seq`. */
  acknowledged(session: LinkSession, seq: number): void {
    if (seq <= session.acked || seq >= this.inbox!.next) return;
    session.acked = seq;
    if (session.gapAt !== null && seq >= session.gapAt) session.gapAt = null;
    if (this.linkSessions === 1) this.inbox!.release(seq);
    else this.#released();
    this.#ackWaits?.look();
  }

  /**
   * Waits for the sessions that are attached and acknowledge to have a message; when none of them is left that could,
   * that is said, too.
   *
   * @param over called once, when there is nothing to wait for any more, and when the user is not held any more.
   */
  awaitAcknowledgement(place: Position, over: () => void): AckWait {
    this.#ackWaits ??= new AckWaits(this);
    return this.#ackWaits.add(place, over);
  }

  /** Harmless on one that is over. */
  stopWaiting(wait: AckWait): void {
    this.#ackWaits?.delete(wait);
  }

  /** Something other than an acknowledgement may have put an end to a wait. */
  lookAtWaits(): void {
    this.#ackWaits?.look();
  }

  /** Stops everything until {@link thaw}. */
  freeze(): void {
    this.isFrozen = true;
  }

  /** Calls when the user is not frozen any more, whatever became of it, at once if it is not: the caller looks again. */
  whenThawed(look: () => void): void {
    this.#looksWhenThawed ??= [];
    if (this.isFrozen) this.#looksWhenThawed.push(look);
    else look();
  }

  /** The outcome of a handoff is known: whoever waited for it looks again. */
  thaw(): void {
    const looks = this.#looksWhenThawed ?? [];
    this.isFrozen = false;
    this.#looksWhenThawed = undefined;
    for (const look of looks) look();
    for (const session of [...this.sessions]) if (session instanceof LinkSession) session.leaveWhenDone();
  }

  toSweep(): void {
    if (this.isSwept) return;
    this.isSwept = true;
    this.#context.toSweep(this);
  }

  /** Ends what has waited too long. Whether another sweep is needed. */
  sweep(now: number): boolean {
    const second = Math.floor(now / 1000);
    let away = false;
    // from behind, as the ones that end leave the list
    for (let i = this.sessions.length - 1; i >= 0; i--) {
      const session = this.sessions[i];
      if (!(session instanceof LinkSession) || session.link !== undefined) continue;
      if (session.awayUntil <= now) this.ended(session, goneAway, 'did not come back');
      else away = true;
    }
    this.inbox?.expire(second - Math.ceil(this.#context.resumeWindowMs / 1000));
    this.inbox?.shrink(second);
    this.isSwept = away || (this.inbox !== undefined && this.inbox.memoryBytes > 0);
    return this.isSwept;
  }

  /** Nothing of it is of use any more. */
  clear(): void {
    this.inbox?.clear();
    this.#ackWaits?.end();
  }

  #released(): void {
    let least = this.inbox!.next - 1;
    for (const session of this.sessions)
      if (session instanceof LinkSession) least = Math.min(least, session.acked);
    this.inbox!.release(least);
  }
}
