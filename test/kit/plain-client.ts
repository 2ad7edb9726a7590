import WebSocket from 'ws';
import type { Teardown } from './consul.js';

export interface Closed {
  readonly at: number;
  readonly code: number;
  readonly reason: string;
}

/**
 * A client as anybody would write it with a plain WebSocket: it connects again when it is closed, after the time
 * that it was told, else after a short random one.
 */
export class PlainClient {
  readonly user: string;
  /** Payloads in the order in which they came. */
  readonly received: string[] = [];
  readonly receivedAt: number[] = [];
  readonly closes: Closed[] = [];
  /** When it was connected again after the last close, by `performance.now()`. */
  connectedAt = 0;
  /** Where it connected last. */
  edge = '';
  readonly #edge: () => string;
  #socket: WebSocket | undefined;
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;

  /** @param edge where it connects, or how it finds out each time: `ws://127.0.0.1:8080`. */
  constructor(t: Teardown, user: string, edge: string | (() => string)) {
    this.user = user;
    this.#edge = typeof edge === 'string' ? () => edge : edge;
    t.teardown(() => this.stop());
    this.#connect();
  }

  get isConnected(): boolean {
    return this.#socket?.readyState === WebSocket.OPEN;
  }

  send(data: string): void {
    this.#socket!.send(data);
  }

  /** Forgets what it got and how it was closed. */
  forget(): void {
    this.received.length = this.receivedAt.length = 0;
    this.closes.length = 0;
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
    this.#socket?.terminate();
  }

  #connect(): void {
    this.edge = this.#edge();
    const url = `${this.edge}/ws?user=${encodeURIComponent(this.user)}`;
    const socket = new WebSocket(url, { perMessageDeflate: false });
    this.#socket = socket;
    let opened = false;
    socket.on('open', () => {
      opened = true;
      this.connectedAt = performance.now();
    });
    socket.on('message', (data) => {
      this.received.push(data.toString());
      this.receivedAt.push(performance.now());
    });
    socket.on('error', () => {});
    socket.on('close', (code, reason) => {
      if (this.#stopped) return;
      if (opened) this.closes.push({ at: performance.now(), code, reason: reason.toString() });
      this.#timer = setTimeout(
        () => this.#connect(),
        toldToWait(reason.toString()) ?? 50 + Math.random() * 200,
      );
    });
  }
}

function toldToWait(reason: string): number | undefined {
  try {
    return (JSON.parse(reason) as { retryAfterMs: number }).retryAfterMs;
  } catch {
    return undefined;
  }
}
