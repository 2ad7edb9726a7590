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
  #socket: WebSocket<DirectSocketData> | undefined;
  #closedBy: string | undefined;

  /** @param stalled called when the session takes no message any more, until {@link drained}. */
  constructor(
    id: string,
    socket: WebSocket<DirectSocketData>,
    counters: NodeCounters,
    stalled: (session: DirectSession) => void,
  ) {
    const { user, edge } = socket.getUserData();
    this.id = id;
    this.user = user;
    this.edge = edge;
    this.#socket = socket;
    this.#counters = counters;
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
  }

  /** The socket is gone. Says what ended it: the name of our close code, or `client`. */
  ended(): string {
    this.#socket = undefined;
    return this.#closedBy ?? 'client';
  }

  #send(socket: WebSocket<DirectSocketData>, data: string | Uint8Array, binary: boolean): boolean {
    if (socket.send(data, binary, false) !== overBound) return true;
    this.#counters.dropped++;
    if (this.stalledSince === 0) {
      this.stalledSince = Date.now();
      this.#stalled(this);
    }
    return false;
  }
}
