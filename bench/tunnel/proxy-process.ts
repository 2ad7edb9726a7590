import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { createEdge } from '../../packages/edge/src/index.js';
import { inProcessMembership } from '../../packages/membership/src/index.js';
import { bareProxy } from './bare-proxy.js';

/** What a proxy process says about itself when it is asked. */
export interface Usage {
  /** Up to the question, and up to the answer: a garbage collection lies in between. */
  readonly cpuMicros: number;
  readonly cpuMicrosAfter: number;
  readonly rssBytes: number;
  readonly heapBytes: number;
}

async function edge(backendPort: number): Promise<number> {
  const membership = inProcessMembership();
  membership.set({ id: 'backend', port: backendPort, kind: 'foreign' });
  return (await createEdge({ id: 'e1', membership })).port;
}

async function bare(backendPort: number): Promise<number> {
  const server = createServer();
  bareProxy(server, backendPort);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

async function usage(): Promise<Usage> {
  const cpuMicros = cpu();
  for (let i = 0; i < 3; i++) {
    globalThis.gc?.();
    await sleep(20);
  }
  const { rss, heapUsed, external } = process.memoryUsage();
  return { cpuMicros, cpuMicrosAfter: cpu(), rssBytes: rss, heapBytes: heapUsed + external };
}

function cpu(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}

const [kind, backendPort] = process.argv.slice(2);
const port = kind === 'edge' ? await edge(Number(backendPort)) : await bare(Number(backendPort));
process.on('message', () => void usage().then((said) => process.send?.(said)));
process.once('disconnect', () => process.exit());
process.send?.({ port });
