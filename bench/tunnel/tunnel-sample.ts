import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { hand } from '../kit/fresh-process.js';
import { echoMany, openClients } from './load.js';
import type { Usage } from './proxy-process.js';

const idleConnections = 3000;
const busyConnections = 500;
const payloadBytes = 120;
const warmUp = 40_000;
const measured = 100_000;

async function start(
  script: string,
  ...args: string[]
): Promise<{ readonly process: ChildProcess; readonly port: number }> {
  const path = fileURLToPath(new URL(script, import.meta.url));
  const child = fork(path, args, { execArgv: [...process.execArgv, '--expose-gc'] });
  const [{ port }] = (await once(child, 'message')) as [{ port: number }];
  return { process: child, port };
}

async function usageOf(child: ChildProcess): Promise<Usage> {
  child.send('usage');
  return ((await once(child, 'message')) as [Usage])[0];
}

const backend = await start('./backend-process.ts');
const proxy = await start('./proxy-process.ts', process.argv[2] ?? 'bare', String(backend.port));

// modules loaded and the first code compiled: none of it belongs to a connection
const first = await openClients(proxy.port, 50, payloadBytes);
await echoMany(first, 1000);
const before = await usageOf(proxy.process);
const idle = await openClients(proxy.port, idleConnections, payloadBytes);
await echoMany(idle, idleConnections);
const after = await usageOf(proxy.process);

const busy = idle.slice(0, busyConnections);
await echoMany(busy, warmUp);
const cold = await usageOf(proxy.process);
const startedAt = performance.now();
await echoMany(busy, measured);
const elapsedMs = performance.now() - startedAt;
const warm = await usageOf(proxy.process);

for (const client of [...first, ...idle]) client.close();
proxy.process.disconnect();
backend.process.disconnect();
hand({
  // an echo is two messages: one each way
  cpuMicrosPerMessage: (warm.cpuMicros - cold.cpuMicrosAfter) / (2 * measured),
  messagesPerSecond: (2 * measured * 1000) / elapsedMs,
  rssBytesPerConnection: (after.rssBytes - before.rssBytes) / idleConnections,
  heapBytesPerConnection: (after.heapBytes - before.heapBytes) / idleConnections,
});
