import type { IncomingMessage } from 'node:http';
import WebSocket from 'ws';
import type { Teardown } from './consul.js';
import { until } from './until.js';

/** What a client was answered that was not taken. */
export interface RefusedWith {
  readonly status: number;
  readonly retryAfter: string | undefined;
  readonly code: string;
}

export interface Origin {
  /** The address that it connects from. Default 127.0.0.1. */
  readonly from?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Opens a WebSocket; resolves with it, or with the answer when it is refused. It ends with the test. */
export function tryToConnect(
  t: Teardown,
  port: number,
  user: string,
  { from, headers }: Origin = {},
): Promise<WebSocket | RefusedWith> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/ws?user=${user}`, {
    perMessageDeflate: false,
    ...(from === undefined ? {} : { localAddress: from }),
    ...(headers === undefined ? {} : { headers }),
  });
  t.teardown(() => socket.terminate());
  return new Promise((resolve, reject) => {
    socket.on('error', reject);
    socket.once('open', () => resolve(socket));
    socket.once('unexpected-response', (_request, response) => {
      void refusedWith(response).then(resolve);
    });
  });
}

async function refusedWith(response: IncomingMessage): Promise<RefusedWith> {
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  const { error } = JSON.parse(Buffer.concat(chunks).toString()) as { error: { code: string } };
  return { status: response.statusCode!, retryAfter: response.headers['retry-after'], code: error.code };
}

/** @throws Error when it is refused. */
export async function connected(
  t: Teardown,
  port: number,
  user: string,
  origin?: Origin,
): Promise<WebSocket> {
  const socket = await tryToConnect(t, port, user, origin);
  if (socket instanceof WebSocket) return socket;
  throw new Error(`${user} was refused: ${JSON.stringify(socket)}`);
}

/** Sends without a pause until the socket is closed; resolves with the code. */
export async function sendUntilClosed(
  socket: WebSocket,
  data: string,
  as: 'send' | 'ping' | 'pong' = 'send',
): Promise<number> {
  let code: number | undefined;
  socket.once('close', (closed) => {
    code = closed;
  });
  await until('it is closed for what it sends', () => {
    for (let i = 0; i < 100 && socket.readyState === WebSocket.OPEN; i++) socket[as](data);
    return code !== undefined;
  });
  return code!;
}

/** A client that says numbers, one after the other's echo, and notices whatever comes out of turn. */
export class Neighbour {
  readonly socket: WebSocket;
  readonly echoes: string[] = [];

  constructor(socket: WebSocket) {
    this.socket = socket;
    socket.on('message', (data) => this.echoes.push(String(data)));
  }

  /** @returns whether its socket is open, and everything so far has come back once and in order. */
  async says(count: number): Promise<boolean> {
    for (let i = 0; i < count; i++) {
      const said = this.echoes.length;
      this.socket.send(String(said));
      await until(`the echo of ${said}`, () => this.echoes.length > said || this.socket.readyState > 1);
    }
    return this.socket.readyState === WebSocket.OPEN && this.echoes.every((echo, i) => echo === String(i));
  }
}
