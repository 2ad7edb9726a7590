import type { CloseCode, Message, Position, Receipt } from '@pinwheel/protocol';
import { isCovered } from './attach-position.js';
import type { HeldUser } from './held-user.js';
import type { Session } from './session.js';
import type { SessionState } from './user-state.js';

/** What a session needs of the link that it is pinned to. */
export interface SessionLink {
  readonly edge: string;
  /** Whether messages can be written to it now: it is not full, and not in doubt. */
  readonly isOpen: boolean;
  message(session: number, seq: number, id: string, binary: boolean, data: Uint8Array): void;
  reply(session: number, binary: boolean, data: Uint8Array): void;
  /** Something that the session should have had is lost; it goes on behind `seq`. */
  gap(session: number, stream: string, seq: number, taken: number): void;
  /** The session has ended: the client is closed, and the number is over. */
  end(session: number, code: number, reason: string): void;
  /** What became of a message to another user. */
  receipt(session: number, number: number, receipt: Receipt): void;
  /** The client's messages up to `number` have been processed. */
  taken(session: number, number: number): void;
  /** The session is elsewhere now, and the number is over. */
  repin(session: number, to: string, handoff: string): void;
}

/** A session's identity and what it has had; what travels when its user is handed over. */
export interface LinkSessionStart {
  readonly key: string;
  readonly edge: string;
  readonly since: number;
  readonly acknowledges: boolean;
  readonly epoch: number;
}

const none: readonly Position[] = [];

/**
 * A session whose client's connection ends at an edge. Pinned to a link it is attached; without one it is away: it was
 * detached, or it was handed over and is expected.
 */
export class LinkSession implements Session {
  readonly kind = 'link';
  readonly id: string;
  readonly since: number;
  readonly acknowledges: boolean;
  readonly held: HeldUser;
  epoch: number;
  edge: string;
  /** The link that it is pinned to, and its number there. */
  link: SessionLink | undefined;
  number = 0;
  /** Its client does not read. */
  paused = false;
  /**
   * While it is away: when it is given up, by the node's clock, in ms. A fraction from the beginning: for the first session
   * that is away, V8 would change the layout of all, and drop the code that delivers to them when it is needed most.
   */
  awayUntil = Number.POSITIVE_INFINITY;
  /** While it is away: it was handed over, and its edge has been told to bring it here. */
  isComing = false;
  /** The last seq that was written to it, and the last that it has for sure. */
  written: number;
  acked: number;
  /** It is sent what stands behind this seq; before it something may have passed it by. */
  begins: number;
  /** Something that it should have had is lost: a position from here on shows that it has heard of that. */
  gapAt: number | null = null;
  /** The last of the client's numbers that waits for the application, and the last that was processed. */
  accepted = 0;
  taken = 0;
  /** Whether the application has heard of it, and whether that waits for its turn here. */
  announced = false;
  isAnnouncing = false;
  /** What it had of other streams, the newest last: messages that came from there are not sent to it again. */
  covers: readonly Position[] | undefined;
  /** What one that ended before it began had, which may have been of the same client: neither is that sent to it. */
  former: readonly Position[] | undefined;
  /** With what its edge wants it closed, where it is attached now, and behind which of the client's numbers. */
  leaving: { readonly code: number; readonly reason: string; readonly behind: number } | undefined;

  constructor(held: HeldUser, start: LinkSessionStart, position: number) {
    this.held = held;
    this.id = start.key;
    this.edge = start.edge;
    this.since = start.since;
    this.acknowledges = start.acknowledges;
    this.epoch = start.epoch;
    this.written = position;
    this.acked = position;
    this.begins = position;
  }

  get user(): string {
    return this.held.user;
  }

  get isLive(): boolean {
    return this.link?.isOpen === true && !this.paused;
  }

  /** As it travels. */
  get state(): SessionState {
    return {
      key: this.id,
      edge: this.edge,
      since: this.since,
      acknowledges: this.acknowledges,
      epoch: this.epoch,
      acked: this.acked,
      begins: this.begins,
      gapAt: this.gapAt,
      taken: this.taken,
      announced: this.announced,
      covers: this.covers ?? none,
      former: this.former ?? none,
      isComing: this.link?.isOpen ?? this.isComing,
    };
  }

  /** Whether it can be waited for: when its link is lost, nobody knows whether a plain client is there any more. */
  get canWait(): boolean {
    return this.acknowledges || this.link !== undefined || this.isComing;
  }

  /** Whether its client has had a message that stands there, or has stood at those origins. */
  hasHad(here: Position, origins: readonly Position[]): boolean {
    const { covers, former } = this;
    if (isCovered(origins, covers)) return true;
    return former !== undefined && (isCovered([here], former) || isCovered(origins, former));
  }

  /** What its client has of this stream, as far as this node knows. */
  get had(): number {
    return this.link === undefined ? this.acked : this.written;
  }

  /**
   * What a plain client has had of streams that may yet be merged into its user's: it may come back as another session.
   * `undefined`: nothing.
   */
  get hadElsewhere(): readonly Position[] | undefined {
    if (this.acknowledges) return undefined;
    const { stream } = this.held;
    const others = [...(this.former ?? []), ...(this.covers ?? [])].filter((had) => had.stream !== stream);
    return others.length === 0 ? undefined : others;
  }

  write(batch: readonly Message[], picked: readonly number[], firstSeq: number, written: Uint16Array): void {
    const { link } = this;
    for (let k = 0; k < picked.length; k++) {
      // a message that it misses is in the inbox, and so are those behind it, until it is caught up
      if (link === undefined || this.paused || !link.isOpen || this.written !== firstSeq + k - 1) return;
      const i = picked[k]!;
      const { id, binary, data } = batch[i]!;
      link.message(this.number, firstSeq + k, this.acknowledges ? id : '', binary, data);
      this.written = firstSeq + k;
      written[i]!++;
    }
  }

  /** Writes one message out of the inbox. */
  writeKept(seq: number, id: string, binary: boolean, data: Uint8Array): void {
    this.link?.message(this.number, seq, this.acknowledges ? id : '', binary, data);
    this.written = seq;
  }

  reply(data: string | Uint8Array): boolean {
    if (!this.isLive) return false;
    const binary = typeof data !== 'string';
    this.link!.reply(this.number, binary, binary ? data : Buffer.from(data));
    return true;
  }

  /** The application is done with the client's message of that number. */
  processed(number: number): void {
    if (number <= this.taken) return;
    this.taken = number;
    this.link?.taken(this.number, number);
    this.leaveWhenDone();
  }

  /** Its edge wants it closed. */
  leave(code: number, reason: string): void {
    this.leaving = { code, reason, behind: this.accepted };
    this.leaveWhenDone();
  }

  /**
   * Closes it, if its edge wants that, and when all that was accepted for it is written, and from it processed, and it does
   * not move.
   */
  leaveWhenDone(): void {
    const { held, leaving } = this;
    if (leaving === undefined || !this.isLive || held.isFrozen || this.taken < leaving.behind) return;
    if (this.written >= held.inbox!.next - 1) this.#end(leaving.code, leaving.reason);
  }

  close({ code }: Pick<CloseCode, 'code' | 'name'>, reason: string): void {
    this.#end(code, reason);
  }

  /**
   * Closes its client's connection, and keeps for it what it has not had: it comes back to its session. Only for a session
   * that acknowledges: any other could not come back.
   *
   * @param from the number from which on its messages have to come again; those before it are, or will be, processed.
   */
  interrupt({ code }: Pick<CloseCode, 'code'>, reason: string, from: number): void {
    this.accepted = Math.max(this.taken, Math.min(this.accepted, from - 1));
    if (this.link === undefined) return;
    this.link.end(this.number, code, reason);
    this.held.detach(this);
  }

  #end(code: number, reason: string): void {
    if (this.link !== undefined) this.link.end(this.number, code, reason);
    else this.held.dismissed(this, { code, reason });
    this.link = undefined;
    this.held.ended(this, code, reason);
  }
}
