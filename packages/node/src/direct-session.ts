import type { CloseCode, Message } from '@pinwheel/protocol';
import type { ReplySession } from './inbound.js';
import type { NodeCounters } from './node-counters.js';
import type { WebSocket } from './uws.js';

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

/** A session whose client's socket ends here, in uWebSockets.js. */
export class DirectSession implements ReplySession {
  readonly id: string;
  readonly user: string;
  readonly since = Date.now();
  readonly edge: string | undefined;
  /** Since when it has not read enough to take a message, in ms since the epoch; 0 when it does. */
  stalledSince = 0;
  readonly #counters: NodeCounters;
  readonly #stalled: (session: DirectSession) => void;
  readonly #maxUnreadBytes: number;
  /** Whether the socket may hold unread bytes: only then they are counted. */
  #mayHoldUnread = false;
  #socket: WebSocket<DirectSocketData> | undefined;
  #closedBy: string | undefined;

  /**
   * @param maxUnreadBytes messages beyond it are not taken. The socket's own bound is higher, because a close frame
   * beyond that would be dropped, and with it everything that was taken before.
   * @param stalled called when the session takes no message any more, until {@link drained}.
   */
  constructor(
    id: string,
    socket: WebSocket<DirectSocketData>,
    counters: NodeCounters,
    maxUnreadBytes: number,
    stalled: (session: DirectSession) => void,
  ) {
    const { user, edge } = socket.getUserData();
    this.id = id;
    this.user = user;
    this.edge = edge;
    this.#socket = socket;
    this.#counters = counters;
    this.#maxUnreadBytes = maxUnreadBytes;
    this.#stalled = stalled;
  }

  write(batch: readonly Message[], picked: readonly number[], written: Uint16Array): void {
    const socket = this.#socket;
    if (socket === undefined) return;
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
    return this.#socket !== undefined && this.#send(this.#socket, data, typeof data !== 'string');
  }

  close(code: Pick<CloseCode, 'code' | 'name'>, reason: string): void {
    if (this.#socket === undefined) return;
    this.#closedBy = code.name;
    this.#socket.end(code.code, reason);
  }

  /** It reads again. */
  drained(): void {
    this.stalledSince = 0;
    if (this.#socket?.getBufferedAmount() === 0) this.#mayHoldUnread = false;
  }

  /** The socket is gone. Says what ended it: the name of our close code, or `client`. */
  ended(): string {
    this.#socket = undefined;
    return this.#closedBy ?? 'client';
  }

  #send(socket: WebSocket<DirectSocketData>, data: string | Uint8Array, binary: boolean): boolean {
    if (!this.#mayHoldUnread || socket.getBufferedAmount() <= this.#maxUnreadBytes) {
      const sent = socket.send(data, binary, false);
      if (sent === unread) this.#mayHoldUnread = true;
      if (sent !== overBound) return true;
    }
    this.#counters.dropped++;
    if (this.stalledSince === 0) {
      this.stalledSince = Date.now();
      this.#stalled(this);
    }
    return false;
  }
}
