import { sharedMicros } from '@pinwheel/bench/load/arrivals.js';
import { Child } from '@pinwheel/bench/load/child.js';
import { pause } from '@pinwheel/bench/load/pause.js';
import { anyOf } from '@pinwheel/bench/load/users.js';
import { silentLog } from '@pinwheel/membership';
import { createSender } from '@pinwheel/sender';
import { warmUp } from '../../packages/cli/dist/process/warm-up.js';
import { hand } from '../kit/fresh-process.js';
import { OpenLoop } from '../migration/open-loop.js';
import { beyond, Journeys, percentile, worstOfEach } from './journeys.js';
import type { Looks, Moved } from './look-process.js';
import { movePlan } from './move-plan.js';
import { Site } from './site.js';

const [pace, ...rest] = process.argv.slice(2);
const movers = rest.includes('--quick') ? 2000 : 10_000;
const usersPerSecond = pace === 'off' ? 1_000_000 : 1000;
/** To any of the users, and as many to those who are watched: each gets one every 50 ms. */
const messagesPerSecond = 2000;
const watchedUsers = 100;
/** About as long as the move: what happens every few seconds anyway, as a major collection, is in both. */
const calmMs = pace === 'off' ? 3000 : 10_000;
/** Each look is two requests, one to each node. */
const lookEveryMs = pace === 'off' ? 20 : 50;

// as the nodes and edges are, else its own code is compiled while users move, on the cores that they share
if (process.env['PINWHEEL_WARM_UP'] !== undefined) await warmUp(silentLog);
const plan = movePlan(movers, movers / 5);
const site = await Site.start('link', { nodes: plan.nodes, proxies: 2, usersPerSecond, pollMs: 200 });
const users = [...plan.movers, ...plan.stayers];
await site.clients.ask({ connect: users });
await site.attached(users.length);
const sender = createSender({ membership: site.membership() });
await sender.ready();
const watched = plan.movers.filter((_user, i) => i % (movers / watchedUsers) === 0);
const journeys = new Journeys();
const anybody = anyOf(users);
let turn = 0;
const load = new OpenLoop(sender, users, 2 * messagesPerSecond, {
  nextUser: () => (turn++ % 2 === 0 ? anybody() : watched[(turn >> 1) % watchedUsers]!),
  sending: (number, user) => journeys.sending(number, user),
});
const portOf = (id: string): number => site.nodes.members.find((member) => member.id === id)!.port;
// in a process of its own, and all the time: what it costs is no part of what moving costs
const looks = await Child.start<'drain', Moved>(new URL('./look-process.ts', import.meta.url), [
  JSON.stringify({
    leaving: portOf(plan.leaving),
    staying: portOf(plan.staying),
    everyMs: lookEveryMs,
  } satisfies Looks),
]);
// the first code is compiled
await pause(2000);

load.takeTimes();
const calmFrom = sharedMicros();
await pause(calmMs);
const calm = load.takeTimes();
const movingFrom = sharedMicros();
const { firstMs, lastMs, inAllMs } = await looks.ask('drain');
const movingTo = sharedMicros();
const moving = load.takeTimes();
// what comes late, or twice, is seen too
await pause(1000);

await load.stop();
const truth = load.ledger.compare(await site.arrived());
const arrived = await site.clients.ask<Float64Array>('micros');
const last = await site.clients.ask('status');
looks.stop();
await site.stop();
for (const [status, count] of load.ledger.undelivered) process.stderr.write(`${pace}: ${count} ${status}\n`);

const everybody = new Set(users);
const calmAll = journeys.between(calmFrom, movingFrom, everybody, arrived).map(({ ms }) => ms);
const calmP50Ms = percentile(calmAll, 0.5);
const calmWatched = worstOfEach(journeys.between(calmFrom, movingFrom, new Set(watched), arrived));
const ofWatched = journeys.between(movingFrom, movingTo, new Set(watched), arrived);
const ofStayers = journeys.between(movingFrom, movingTo, new Set(plan.stayers), arrived);
const movingWatched = worstOfEach(ofWatched);
const ownGaps = worstOfEach(beyond(ofWatched, ofStayers));
const stayers = ofStayers.map(({ ms }) => ms);
const movingAll = journeys.between(movingFrom, movingTo, new Set(plan.movers), arrived).map(({ ms }) => ms);
hand({
  seconds: (lastMs - firstMs) / 1000,
  secondsInAll: inAllMs / 1000,
  secondsBeside: Math.abs((lastMs - firstMs) / movers - 1) * 100,
  ownGapP50Ms: percentile(ownGaps, 0.5),
  ownGapP99Ms: percentile(ownGaps, 0.99),
  gapP50Ms: percentile(movingWatched, 0.5) - calmP50Ms,
  gapP99Ms: percentile(movingWatched, 0.99) - calmP50Ms,
  calmGapP99Ms: percentile(calmWatched, 0.99) - calmP50Ms,
  calmArrivalP50Ms: calmP50Ms,
  calmArrivalP99Ms: percentile(calmAll, 0.99),
  movingArrivalP99Ms: percentile(movingAll, 0.99),
  stayersArrivalP99Ms: percentile(stayers, 0.99),
  calmReceiptP99Ms: calm.getValueAtPercentile(99) / 1000,
  movingReceiptP99Ms: moving.getValueAtPercentile(99) / 1000,
  receipts: truth.receipts,
  refused: truth.undelivered - truth.queued,
  queued: truth.queued,
  lost: truth.lost,
  duplicated: truth.duplicated,
  denied: truth.denied,
  disordered: last.disordered,
  closed: users.length - last.connected,
  clientsLongestStallMs: last.longestStallMs,
});
process.exit();
