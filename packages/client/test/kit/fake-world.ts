import {
  type ClientFrame,
  decodeClientFrame,
  encodeServerFrame,
  type ServerControl,
} from '@pinwheel/protocol/client';
import { FakeTimers } from '../../../migration/test/kit/fake-timers.js';
import type { ClientOptions, IncomingMessage } from '../../src/index.js';
import { ClientCore, type ClientStatus, type ClientWorld, type SocketEvents } from '../../src/index.js';

export const sessionKey = 'a-session-of-the-test';

/** A socket that does what the test says. */
export class FakeSocket {
  readonly protocols: readonly string[];
  readonly events: SocketEvents;
  readonly sent: (string | Uint8Array)[] = [];
  closedWith: { readonly code: number; readonly reason: string } | undefined;
  bufferedAmount = 0;

  constructor(protocols: readonly string[], events: SocketEvents) {
    this.protocols = protocols;
    this.events = events;
  }

  send(data: string | Uint8Array): void {
    this.sent.push(data);
  }

  close(code: number, reason: string): void {
    this.closedWith = { code, reason };
  }

  /** The control messages that it was given, as objects. */
  get said(): readonly Record<string, unknown>[] {
    return this.sent.filter((data) => typeof data === 'string').map((text) => JSON.parse(text));
  }

  get frames(): readonly ClientFrame[] {
    return this.sent.filter((data) => typeof data !== 'string').map((bytes) => decodeClientFrame(bytes));
  }

  say(control: ServerControl): void {
    this.events.text(JSON.stringify(control));
  }

  welcome(given: Partial<Extract<ServerControl, { type: 'welcome' }>> = {}): void {
    this.say({
      type: 'welcome',
      session: sessionKey,
      stream: 's',
      seq: 0,
      recovered: true,
      taken: 0,
      resumeWindowMs: 60_000,
      maxMessageBytes: 65_536,
      ...given,
    });
  }

  message(seq: number, data: string | Uint8Array, id = `m${seq}`): void {
    const binary = typeof data !== 'string';
    const bytes = binary ? data : new TextEncoder().encode(data);
    this.events.binary(encodeServerFrame({ kind: 'message', seq, id, binary, data: bytes }));
  }

  taken(number: number): void {
    this.events.binary(encodeServerFrame({ kind: 'taken', number }));
  }
}

/** A client in a world where nothing happens by itself. */
export class FakeWorld implements ClientWorld {
  readonly clock = new FakeTimers();
  readonly sockets: FakeSocket[] = [];
  readonly messages: IncomingMessage[] = [];
  readonly replies: (string | Uint8Array)[] = [];
  readonly statuses: ClientStatus[] = [];
  readonly reported: unknown[] = [];
  readonly core: ClientCore;
  /** What every draw gives. */
  drawn = 0.5;

  constructor(options: ClientOptions = {}) {
    const own: ClientOptions = {
      onMessage: (message) => this.messages.push(message),
      onReply: (data) => this.replies.push(data),
      onStatus: (status) => this.statuses.push(status),
    };
    this.core = new ClientCore(sessionKey, { ...own, ...options }, this);
    this.core.start();
  }

  random(): number {
    return this.drawn;
  }

  open(protocols: string[], events: SocketEvents): FakeSocket {
    const socket = new FakeSocket(protocols, events);
    this.sockets.push(socket);
    return socket;
  }

  readonly report = (thrown: unknown): void => {
    this.reported.push(thrown);
  };

  /** The newest socket. */
  get socket(): FakeSocket {
    return this.sockets.at(-1)!;
  }

  get data(): readonly (string | Uint8Array)[] {
    return this.messages.map(({ data }) => data);
  }

  /** Opens the newest socket and welcomes the client. */
  connected(given: Parameters<FakeSocket['welcome']>[0] = {}): this {
    this.socket.events.opened();
    this.socket.welcome(given);
    return this;
  }

  /** The newest socket closes, and the wait for the next one is over. */
  reconnect(code = 1006, reason = ''): this {
    this.socket.events.closed(code, reason);
    return this.waited();
  }

  /** The wait for the next connection is over. */
  waited(): this {
    const { status } = this.core;
    if (status.state === 'waiting') this.clock.pass(status.retryInMs);
    return this;
  }
}
