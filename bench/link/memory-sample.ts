import { numberedMessage } from '@pinwheel/bench/load/message-number.js';
import { pause } from '@pinwheel/bench/load/pause.js';
import { kernelObjectsKb, maxDescriptors, memoryOf } from '@pinwheel/bench/load/process-usage.js';
import { createSender } from '@pinwheel/sender';
import { hand } from '../kit/fresh-process.js';
import { portsGivenBack } from '../kit/ports-given-back.js';
import type { Contender } from './proxy.js';
import { Site } from './site.js';

const [contender, ...rest] = process.argv.slice(2);
const wanted = rest.includes('--quick') ? 2000 : 10_000;
/** A proxy has two descriptors for each, and some of its own. */
const all = Math.min(wanted, Math.floor((maxDescriptors() - 500) / 2));
/** Modules are loaded, code is compiled and what memory a process has got in advance is used: nobody's connection. */
const first = Math.floor(all / 5);
const connections = all - first;
/** V8 gives memory back when it has had nothing to do for some seconds. */
const settleMs = 12_000;

await portsGivenBack();
const site = await Site.start(contender as Contender);
const sender = createSender({ membership: site.membership() });
await sender.ready();
let sent = 0;

const some = await site.clients.ask<readonly string[]>({ pick: first });
await site.attached(first);
await reach(some);
const before = await settled();
const more = await site.clients.ask<readonly string[]>({ pick: connections });
await site.attached(all);
const fresh = await settled();
await reach(more);
const used = await settled();

const { closed, disordered } = await site.clients.ask('status');
const counts = (await site.arrived()).subarray(0, sent);
await sender.close();
await site.stop();
hand({
  connections,
  kbPerConnection: each(fresh.resident - before.resident),
  kbPerUsedConnection: each(used.resident - before.resident),
  proxyKbPerUsedConnection: each(used.proxy - before.proxy),
  nodesKbPerUsedConnection: each(used.nodes - before.nodes),
  proportionalKbPerUsedConnection: each(used.proportional - before.proportional),
  kernelKbPerConnection: each(fresh.kernel - before.kernel),
  undelivered: 0,
  lost: counts.filter((count) => count === 0).length,
  duplicated: counts.filter((count) => count > 1).length,
  denied: 0,
  disordered,
  closed: [...closed.values()].reduce((sum, count) => sum + count, 0),
});
process.exit();

function each(kb: number): number {
  return kb / connections;
}

/** Every user is sent a message, and must be given it. */
async function reach(users: readonly string[]): Promise<void> {
  const receipts = await Promise.all(users.map((user) => sender.send(user, numberedMessage(sent++))));
  const wrong = receipts.find(({ status }) => status !== 'delivered');
  if (wrong !== undefined) throw new Error(`a message got the receipt ${JSON.stringify(wrong)}`);
}

async function collect(): Promise<void> {
  for (const proxy of site.proxies) await proxy.collect();
  await site.nodes.collect();
}

async function settled() {
  await collect();
  await pause(settleMs);
  await collect();
  const proxies = site.proxyPids.map(memoryOf);
  const nodes = site.nodes.pids.map(memoryOf);
  const sum = (all: typeof nodes, of: 'residentKb' | 'proportionalKb'): number =>
    all.reduce((total, memory) => total + memory[of], 0);
  return {
    proxy: sum(proxies, 'residentKb'),
    nodes: sum(nodes, 'residentKb'),
    resident: sum([...proxies, ...nodes], 'residentKb'),
    proportional: sum([...proxies, ...nodes], 'proportionalKb'),
    kernel: kernelObjectsKb(),
  };
}
