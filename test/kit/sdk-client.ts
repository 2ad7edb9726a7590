import { type ClientStatus, type Connection, connect } from '@pinwheel/client';
import WebSocket from 'ws';
import type { Teardown } from './consul.js';

/** A client that speaks `pinwheel.v1`, and what it was told. */
export class SdkClient {
  readonly user: string;
  /** Payloads in the order in which they came. */
  readonly received: string[] = [];
  readonly receivedAt: number[] = [];
  /** Whether it was told that something was lost, each time that it was attached anew. */
  readonly recoveries: boolean[] = [];
  /** How often it had to connect again. */
  closes = 0;
  /** Where it connected last. */
  edge = '';
  readonly #connection: Connection;
  #status: ClientStatus['state'] = 'connecting';

  /** @param edge finds out where to connect, each time: `ws://127.0.0.1:8080`. */
  constructor(t: Teardown, user: string, edge: () => string) {
    this.user = user;
    const path = `/ws?user=${encodeURIComponent(user)}`;
    const nextEdge = (): string => {
      this.edge = edge();
      return this.edge;
    };
    // the address is asked for at every connection: edges come and go
    class ToSomeEdge extends WebSocket {
      constructor(_url: string | URL, protocols?: string | string[]) {
        super(`${nextEdge()}${path}`, protocols, { perMessageDeflate: false });
        this.on('error', () => {});
      }
    }
    this.#connection = connect(`${edge()}${path}`, {
      webSocket: ToSomeEdge as never,
      retry: { firstMs: 100, longestMs: 1000 },
      onMessage: ({ data }) => {
        this.received.push(String(data));
        this.receivedAt.push(performance.now());
      },
      onStatus: (status) => this.#changed(status),
    });
    t.teardown(() => this.stop());
  }

  get isConnected(): boolean {
    return this.#status === 'connected';
  }

  send(data: string): Promise<void> {
    return this.#connection.send(data);
  }

  forget(): void {
    this.received.length = this.receivedAt.length = 0;
    this.recoveries.length = 0;
    this.closes = 0;
  }

  stop(): Promise<void> {
    return this.#connection.close();
  }

  #changed(status: ClientStatus): void {
    if (status.state === 'connected') this.recoveries.push(status.recovered);
    else if (this.#status === 'connected') this.closes++;
    this.#status = status.state;
  }
}
