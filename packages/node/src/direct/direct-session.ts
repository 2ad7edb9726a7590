import { systemClock } from '@pinwheel/membership';
import type { CloseCode, Message } from '@pinwheel/protocol';
import type { Place, WebSocket } from '@pinwheel/server';
import type { ReplySession } from '../application/inbound.js';
import type { NodeCounters } from '../counters/node-counters.js';

/** What the upgrade hands to the opened socket. */
export interface DirectSocketData {
  readonly user: string;
  readonly edge: string | undefined;
  session: DirectSession | undefined;
}

/** What a send says when the socket holds bytes that its client has not read. */
const unread = 0;
/** What it says when it took nothing. */
const overBound = 2;

/** What a session tells the server that it belongs to. */
export interface DirectSessionEvents {
  /** It takes no message any more, until {@link DirectSession.drained}. */
  stalled(session: DirectSession): void;
  /** It is over, and its client has yet to read what was written to it. */
  unread(session: DirectSession, code: number, reason: string): void;
}

/** What is left to be said to a client that has yet to read. */
interface LastWord {
  readonly code: number;
  readonly reason: string;
  readonly since: number;
}

/** A session whose client's socket ends here, in uWebSockets.js. */
export class DirectSession implements ReplySession {
  readonly kind = 'direct';
  readonly id: string;
  readonly user: string;
  readonly since = Date.now();
  readonly edge: string | undefined;
  readonly place: Place;
  /** Since when it has not read enough to take a message, by the clock of the process, in ms; 0 when it does. */
  stalledSince = 0;
  readonly #counters: NodeCounters;
  readonly #events: DirectSessionEvents;
  readonly #maxUnreadBytes: number;
  /** Whether the socket may hold unread bytes: only then they are counted. */
  #mayHoldUnread = false;
  #socket: WebSocket<DirectSocketData> | undefined;
  #closedBy: string | undefined;
  #lastWord: LastWord | undefined;

  /**
   * @param maxUnreadBytes messages beyond it are not taken. The socket's own bound is higher, because a close frame
   * beyond that would be dropped, and with it everything that was taken before.
   */
  constructor(
    id: string,
    socket: WebSocket<DirectSocketData>,
    counters: NodeCounters,
    maxUnreadBytes: number,
    events: DirectSessionEvents,
    place: Place,
  ) {
    this.place = place;
    const { user, edge } = socket.getUserData();
    this.id = id;
    this.user = user;
    this.edge = edge;
    this.#socket = socket;
    this.#counters = counters;
    this.#maxUnreadBytes = maxUnreadBytes;
    this.#events = events;
  }

  write(batch: readonly Message[], picked: readonly number[], _firstSeq: number, written: Uint16Array): void {
    const socket = this.#socket;
    if (socket === undefined || !this.isOpen) return;
    if (picked.length === 1) {
      const i = picked[0]!;
      if (this.#send(socket, batch[i]!.data, batch[i]!.binary)) written[i]!++;
      return;
    }
    // one system call for all of them
    socket.cork(() => {
      for (const i of picked) if (this.#send(socket, batch[i]!.data, batch[i]!.binary)) written[i]!++;
    });
  }

  reply(data: string | Uint8Array): boolean {
    return (
      this.#socket !== undefined && this.isOpen && this.#send(this.#socket, data, typeof data !== 'string')
    );
  }

  close(code: Pick<CloseCode, 'code' | 'name'>, reason: string): void {
    if (this.#socket === undefined || !this.isOpen) return;
    this.#closedBy = code.name;
    if (this.#socket.getBufferedAmount() === 0) {
      this.#socket.end(code.code, reason);
      return;
    }
    // an ended socket cannot be asked any more whether its client has read everything
    this.#lastWord = { code: code.code, reason, since: systemClock.now() };
    this.#events.unread(this, code.code, reason);
  }

  /** Whether a message can be written to it now, as far as it knows. */
  get isLive(): boolean {
    return this.isOpen && this.stalledSince === 0;
  }

  /** Whether it takes messages and is in the table. */
  get isOpen(): boolean {
    return this.#socket !== undefined && this.#lastWord === undefined;
  }

  /** Name of our close code that it was closed with, or `client`. */
  get closedBy(): string {
    return this.#closedBy ?? 'client';
  }

  /** A ping or a pong has come, which uWebSockets.js has answered already: also who does not read answers has to go in time. */
  controlled(): void {
    if (this.isOpen && this.#socket!.getBufferedAmount() > this.#maxUnreadBytes) this.#stall();
  }

  /** It reads again. */
  drained(): void {
    this.stalledSince = 0;
    if (this.#socket?.getBufferedAmount() !== 0) return;
    this.#mayHoldUnread = false;
    this.finish(Number.POSITIVE_INFINITY);
  }

  /** Says the last word to a client that had to read first, when it was closed by `before`, by the clock of the process. */
  finish(before: number): void {
    const last = this.#lastWord;
    if (last !== undefined && last.since <= before) this.#socket?.end(last.code, last.reason);
  }

  /** The socket is gone. */
  gone(): void {
    this.#socket = undefined;
  }

  #send(socket: WebSocket<DirectSocketData>, data: string | Uint8Array, binary: boolean): boolean {
    if (!this.#mayHoldUnread || socket.getBufferedAmount() <= this.#maxUnreadBytes) {
      const sent = socket.send(data, binary, false);
      if (sent === unread) this.#mayHoldUnread = true;
      if (sent !== overBound) return true;
    }
    this.#counters.dropped++;
    this.#stall();
    return false;
  }

  #stall(): void {
    if (this.stalledSince !== 0) return;
    this.stalledSince = systemClock.now();
    this.#events.stalled(this);
  }
}
