import { once } from 'node:events';
import { WebSocket } from 'ws';
import type { PinwheelNode } from '../../src/index.js';
import type { Teardown } from './nodes.js';

export interface ClientEnd {
  readonly code: number;
  readonly reason: string;
}

/** A plain WebSocket client that writes down what it gets. */
export class TestClient {
  readonly user: string;
  readonly socket: WebSocket;
  readonly frames: { readonly data: Buffer; readonly binary: boolean }[] = [];
  /** How it ended, once it has. */
  end: ClientEnd | undefined;

  constructor(user: string, socket: WebSocket) {
    this.user = user;
    this.socket = socket;
    socket.on('message', (data: Buffer, binary) => this.frames.push({ data, binary }));
    socket.on('close', (code, reason) => {
      this.end = { code, reason: reason.toString() };
    });
    socket.on('error', () => {});
  }

  get texts(): readonly string[] {
    return this.frames.map(({ data }) => data.toString());
  }

  /** `{"retryAfterMs":n}` of the close reason. */
  get retryAfterMs(): number {
    return JSON.parse(this.end?.reason ?? '{}').retryAfterMs;
  }

  send(data: string | Buffer): void {
    this.socket.send(data);
  }

  close(): void {
    this.socket.close();
  }
}

export interface ClientOptions {
  readonly headers?: Readonly<Record<string, string>>;
  readonly protocols?: readonly string[];
}

/** Connects to the node's own WebSocket port; rejects when it is refused. */
export async function connect(
  t: Teardown,
  node: Pick<PinwheelNode, 'wsPort'>,
  user: string,
  { headers = {}, protocols = [] }: ClientOptions = {},
): Promise<TestClient> {
  const url = `ws://127.0.0.1:${node.wsPort}/ws?user=${encodeURIComponent(user)}`;
  const socket = new WebSocket(url, [...protocols], { headers: { ...headers }, perMessageDeflate: false });
  const client = new TestClient(user, socket);
  t.teardown(() => socket.terminate());
  await once(socket, 'open');
  return client;
}
