import { pause } from '@pinwheel/bench/load/pause.js';
import { createSender } from '@pinwheel/sender';
import { hand } from '../kit/fresh-process.js';
import { OpenLoop } from '../migration/open-loop.js';
import type { Contender } from './proxy.js';
import { Site } from './site.js';
import { measureWindow } from './window.js';

const [contender, ...rest] = process.argv.slice(2);
const quick = rest.includes('--quick');
const connections = 2000;
const messagesPerSecond = 20_000;
const warmUpMs = quick ? 2000 : 4000;

const site = await Site.start(contender as Contender);
const users = await site.clients.ask<readonly string[]>({ pick: connections });
await site.attached(connections);
const sender = createSender({ membership: site.membership() });
await sender.ready();
const load = new OpenLoop(sender, users, messagesPerSecond);
await pause(warmUpMs);

load.takeTimes();
const window = await measureWindow(site, {
  ms: quick ? 2000 : 5000,
  most: quick ? 1 : 4,
  received: () => site.clients.ask<number>('received'),
});
const times = load.takeTimes();

await load.stop();
const truth = load.ledger.compare(await site.arrived());
const { disordered, closed } = await site.clients.ask('status');
await site.stop();

const behind = 1 - window.messagesPerSecond / messagesPerSecond;
if (Math.abs(behind) > 0.02) {
  process.stderr.write(`WARNING: ${contender} is ${(behind * 100).toFixed(1)} % behind the rate\n`);
}
hand({
  ...window,
  receiptP50Ms: times.getValueAtPercentile(50) / 1000,
  receiptP99Ms: times.getValueAtPercentile(99) / 1000,
  ...truth,
  disordered,
  closed: [...closed.values()].reduce((sum, count) => sum + count, 0),
});
process.exit();
