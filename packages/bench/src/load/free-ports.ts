import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';

/** Tried or given out by this process already: who gets a port does not listen on it at once. */
const taken = new Set<number>();

/**
 * A port of the loopback address that nobody listens on now, for TCP and for UDP. Prefer port 0 where a program can say
 * which port it got.
 */
export function freePort(): Promise<number> {
  return freePortsInARow(1);
}

/** As many as wanted, all different. */
export function freePorts(count: number): Promise<readonly number[]> {
  return Promise.all(Array.from({ length: count }, freePort));
}

/**
 * The first of several ports in a row that nobody listens on now. They are below those that the system gives out by
 * itself (from 32768 on Linux), as one of those may be in use again, by a connection of somebody's, before it is
 * listened on; and above those that browsers refuse (10080 is the last).
 */
export async function freePortsInARow(count: number): Promise<number> {
  for (;;) {
    const first = 11_000 + Math.floor(Math.random() * 20_000);
    const row = Array.from({ length: count }, (_, i) => first + i);
    if (row.some((port) => taken.has(port))) continue;
    for (const port of row) taken.add(port);
    const free = await Promise.all(row.flatMap((port) => [isFreeForTcp(port), isFreeForUdp(port)]));
    if (!free.includes(false)) return first;
  }
}

function isFreeForTcp(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}

function isFreeForUdp(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createSocket('udp4');
    socket.once('error', () => resolve(false));
    socket.bind(port, '127.0.0.1', () => socket.close(() => resolve(true)));
  });
}
