import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, createServer as createNetServer, type Socket } from 'node:net';
import { type WebSocket, WebSocketServer } from 'ws';

export interface Backend {
  readonly port: number;
  /** Sockets that are open now. */
  readonly sockets: ReadonlySet<Socket>;
  close(): Promise<void>;
}

export interface WsBackend extends Backend {
  readonly server: WebSocketServer;
  readonly http: Server;
  /** The requests of all upgrades and plain requests, in order. */
  readonly requests: readonly IncomingMessage[];
}

/** A `ws` server that echoes, and says its name to `who`. */
export async function wsBackend(
  name: string,
  onConnection: (socket: WebSocket, request: IncomingMessage) => void = echo(name),
  onRequest: (request: IncomingMessage, response: ServerResponse) => void = (request, response) => {
    response.setHeader('x-backend', name);
    request.pipe(response);
  },
): Promise<WsBackend> {
  const requests: IncomingMessage[] = [];
  const http = createServer((request, response) => {
    requests.push(request);
    onRequest(request, response);
  });
  const server = new WebSocketServer({ server: http, perMessageDeflate: false });
  server.on('connection', (socket, request) => {
    requests.push(request);
    socket.on('error', () => {});
    onConnection(socket, request);
  });
  const backend = await listening(http);
  return { ...backend, server, http, requests };
}

function echo(name: string): (socket: WebSocket) => void {
  return (socket) => {
    socket.on('message', (data, binary) => {
      if (String(data) === 'who') socket.send(name);
      else socket.send(data as Buffer, { binary });
    });
  };
}

/** A TCP server that does with each connection what the test says. */
export async function rawBackend(onSocket: (socket: Socket) => void): Promise<Backend> {
  const server = createNetServer((socket) => {
    socket.on('error', () => {});
    onSocket(socket);
  });
  return listening(server as unknown as Server);
}

/** Calls back with the head of the first request on a socket, and with every byte that came behind it. */
export function onHead(socket: Socket, callback: (head: string, rest: Buffer) => void): void {
  let seen = Buffer.alloc(0);
  const onData = (chunk: Buffer): void => {
    seen = Buffer.concat([seen, chunk]);
    const end = seen.indexOf('\r\n\r\n');
    if (end < 0) return;
    socket.off('data', onData);
    callback(seen.subarray(0, end).toString('latin1'), seen.subarray(end + 4));
  };
  socket.on('data', onData);
}

/** A port at which nobody listens. */
export async function deadPort(): Promise<number> {
  const backend = await rawBackend(() => {});
  await backend.close();
  return backend.port;
}

async function listening(server: Server): Promise<Backend> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    sockets,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}
