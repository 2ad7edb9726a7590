import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { clientProtocol } from '@pinwheel/protocol/client';
import type { Test } from 'tap';
import { type WebSocket, WebSocketServer } from 'ws';
import { FakeEdge } from './fake-edge.js';
import type { Service } from './service.js';

export interface FakeService extends Service {
  readonly edge: FakeEdge;
  /** The subprotocols that each connection offered. */
  readonly offered: readonly (readonly string[])[];
}

/** The fake edge behind real sockets. */
export async function startFakeService(t: Test): Promise<FakeService> {
  const edge = new FakeEdge();
  const offered: string[][] = [];
  const server = new WebSocketServer({
    host: '127.0.0.1',
    port: 0,
    perMessageDeflate: false,
    handleProtocols: (protocols) => {
      offered.push([...protocols]);
      return protocols.has(clientProtocol) && clientProtocol;
    },
  });
  server.on('connection', (socket, request) => join(edge, socket, request));
  await once(server, 'listening');
  t.teardown(() => {
    for (const socket of server.clients) socket.terminate();
    server.close();
  });
  return {
    edge,
    offered,
    port: (server.address() as AddressInfo).port,
    send: async (user, data) => void edge.user(user).send(data),
    received: (user) => edge.user(user).received,
    close: async (user, code, reason) => edge.user(user).close(code, reason),
    hasSession: async (user) => edge.user(user).sessions > 0,
  };
}

function join(edge: FakeEdge, socket: WebSocket, request: IncomingMessage): void {
  const user = new URL(request.url!, 'http://edge').searchParams.get('user')!;
  const client = edge.connect(user, {
    text: (data) => socket.send(data),
    binary: (data) => socket.send(data),
    close: (code, reason) => socket.close(code, reason),
  });
  socket.on('message', (data: Buffer, isBinary) => {
    if (isBinary) client.binary(data);
    else client.text(data.toString());
  });
  socket.on('close', (code) => client.closed(code));
  socket.on('error', () => {});
}
