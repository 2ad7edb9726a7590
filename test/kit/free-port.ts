import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';

/** Given out by this process already: the system may offer a port twice while nobody listens on it yet. */
const given = new Set<number>();

/**
 * A port of the loopback address that nobody listens on now, for TCP and for UDP. Prefer port 0 where the program
 * under test can say which port it got.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = await unusedTcpPort();
    if (given.has(port) || !(await isFreeForUdp(port))) continue;
    given.add(port);
    return port;
  }
}

/** The first of several ports in a row that nobody listens on now, below those that the system gives out by itself. */
export async function freePortsInARow(count: number): Promise<number> {
  for (;;) {
    const first = 10_000 + Math.floor(Math.random() * 20_000);
    const row = Array.from({ length: count }, (_, i) => first + i);
    if (row.some((port) => given.has(port))) continue;
    if (!(await Promise.all(row.map(isFreeForTcp))).every((free) => free)) continue;
    for (const port of row) given.add(port);
    return first;
  }
}

function isFreeForTcp(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}

function unusedTcpPort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      const port = typeof address === 'object' && address !== null ? address.port : 0;
      server.close(() => resolve(port));
    });
  });
}

function isFreeForUdp(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createSocket('udp4');
    socket.once('error', () => resolve(false));
    socket.bind(port, '127.0.0.1', () => socket.close(() => resolve(true)));
  });
}
