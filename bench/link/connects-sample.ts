import { numberedMessage } from '@pinwheel/bench/load/message-number.js';
import { allCpuMicros, cpuMicrosOf } from '@pinwheel/bench/load/process-usage.js';
import { createSender } from '@pinwheel/sender';
import { hand } from '../kit/fresh-process.js';
import { portsGivenBack } from '../kit/ports-given-back.js';
import type { Opened } from './client-pool.js';
import type { Contender } from './proxy.js';
import { Site } from './site.js';

const [contender, ...rest] = process.argv.slice(2);
const quick = rest.includes('--quick');
const connections = quick ? 1000 : 3000;
const times = quick ? 1 : 7;

await portsGivenBack();
const site = await Site.start(contender as Contender);
// the first time compiles the code, and finds users who are brought to their owner
const users = await site.clients.ask<readonly string[]>({ pick: connections });
const sender = createSender({ membership: site.membership() });
await sender.ready();
let sent = 0;
await site.attached(connections);
await reachAll();

const measured = [];
for (let i = 0; i < times; i++) {
  await site.clients.ask('disconnect');
  await site.attached(0);
  measured.push(await connectAll());
  await reachAll();
}
const { disordered, closed } = await site.clients.ask('status');
const counts = (await site.arrived()).subarray(0, sent);
await sender.close();
await site.stop();
// each takes half a second, in which anything may happen on a machine: the one in the middle counts
measured.sort((a, b) => a.connectsPerSecond - b.connectsPerSecond);
hand({
  ...measured[Math.floor(times / 2)]!,
  undelivered: 0,
  lost: counts.filter((count) => count === 0).length,
  duplicated: counts.filter((count) => count > 1).length,
  denied: 0,
  disordered,
  closed: [...closed.values()].reduce((sum, count) => sum + count, 0),
});
process.exit();

/** From the first connection to the last session at its node. */
async function connectAll() {
  const before = reading();
  const opened = site.clients.ask<Opened>({ connect: users });
  const [{ upgradeMs }, attachedAt] = await Promise.all([opened, site.attached(connections)]);
  const after = reading();
  const elapsedMs = attachedAt - before.atMs;
  const sorted = upgradeMs.toSorted((a, b) => a - b);
  const spent = (of: 'proxy' | 'nodes' | 'clients' | 'sample' | 'all'): number => after[of] - before[of];
  const ours = spent('proxy') + spent('nodes') + spent('clients') + spent('sample');
  const percent = (micros: number): number => micros / 10 / (after.atMs - before.atMs);
  return {
    connectsPerSecond: (connections * 1000) / elapsedMs,
    cpuMicrosPerConnect: (spent('proxy') + spent('nodes')) / connections,
    upgradeP50Ms: sorted[Math.floor(connections / 2)]!,
    upgradeP99Ms: sorted[Math.floor(connections * 0.99)]!,
    clientsCpuPercent: percent(spent('clients')),
    othersCpuPercent: percent(spent('all') - ours),
  };
}

/** Every user is sent a message, and must be given it. */
async function reachAll(): Promise<void> {
  const receipts = await Promise.all(users.map((user) => sender.send(user, numberedMessage(sent++))));
  const wrong = receipts.find(({ status, sessions }) => status !== 'delivered' || sessions !== 1);
  if (wrong !== undefined) throw new Error(`a message got the receipt ${JSON.stringify(wrong)}`);
  // nobody hangs up on a message that was delivered
  await site.arrived();
}

function reading() {
  return {
    atMs: performance.now(),
    proxy: site.proxyPids.reduce((sum, pid) => sum + cpuMicrosOf(pid), 0),
    nodes: site.nodes.pids.reduce((sum, pid) => sum + cpuMicrosOf(pid), 0),
    clients: cpuMicrosOf(site.clients.pid),
    sample: cpuMicrosOf(process.pid),
    all: allCpuMicros(),
  };
}
