import { pause } from '@pinwheel/bench/load/pause.js';
import { hand } from '../kit/fresh-process.js';
import { ClosedLoop } from './closed-loop.js';
import type { Contender } from './proxy.js';
import { Site } from './site.js';
import { measureWindow } from './window.js';

const [contender, ...rest] = process.argv.slice(2);
const quick = rest.includes('--quick');
const connections = 1000;
const outstanding = rest.includes('--deep') ? 65_536 : 16_384;
const batch = 2048;

const site = await Site.start(contender as Contender);
const users = await site.clients.ask<readonly string[]>({ pick: connections });
await site.attached(connections);
const load = new ClosedLoop({
  members: site.nodes.members,
  users,
  outstanding,
  batch,
  received: () => site.clients.ask<number>('received'),
});
await pause(quick ? 2000 : 4000);

const window = await measureWindow(site, {
  ms: quick ? 2000 : 4000,
  most: quick ? 1 : 4,
  received: () => load.received,
  left: () => load.left,
});

await load.stop();
const truth = load.ledger.compare(await site.arrived());
const { disordered, closed } = await site.clients.ask('status');
await site.stop();
hand({
  ...window,
  ...truth,
  disordered,
  closed: [...closed.values()].reduce((sum, count) => sum + count, 0),
});
process.exit();
