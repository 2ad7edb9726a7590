import { pause } from '@pinwheel/bench/load/pause.js';
import type { Closed } from '@pinwheel/bench/load/returning-clients.js';
import { createSender } from '@pinwheel/sender';
import { hand } from '../kit/fresh-process.js';
import { Service } from '../send/service.js';
import { OpenLoop, type SaidOffline } from './open-loop.js';
import { type Change, planOf } from './plan.js';

const [change, ...rest] = process.argv.slice(2);
const movingUsers = rest.includes('--quick') ? 1000 : 5000;
const messagesPerSecond = 4000;
const calmMs = 3000;
const longestMs = 30_000;
/** A client learns of its close and of its connection later than the node; on a busy machine by a stall more. */
const leastSlackMs = 100;
const movedCode = 4000;

const plan = planOf(change as Change, movingUsers);
const service = await Service.start(plan.nodes, { usersPerSecond: plan.usersPerSecond });
await service.clients.ask({ connect: plan.users });
const sender = createSender({ membership: service.membership() });
await sender.ready();
const load = new OpenLoop(sender, plan.users, messagesPerSecond);
// the first code is compiled
await pause(1000);

load.takeTimes();
await pause(calmMs);
const calm = load.takeTimes();
if (plan.change === 'drain') await service.node(plan.node).ask('drain');
else await service.join(plan.node);
const closed = await everybodyBack();
const moving = load.takeTimes();
// whoever is wrongly closed later is seen too
await pause(500);

await load.stop();
const truth = load.ledger.compare(await service.arrived());
const last = await service.clients.ask('status');
await service.stop();
for (const [status, count] of load.ledger.undelivered)
  process.stderr.write(`${plan.change}: ${count} ${status}\n`);

const slackMs = leastSlackMs + last.longestStallMs;
const times = last.closed.map(({ atMs }) => atMs).sort((a, b) => a - b);
const away = closed.map(({ atMs, backAtMs }) => backAtMs - atMs).sort((a, b) => a - b);
const seconds = (times.at(-1)! - times[0]!) / 1000;
hand({
  seconds,
  secondsBeside: Math.abs(seconds / (movingUsers / 1000) - 1) * 100,
  usersPerSecond: movingUsers / seconds,
  mostIn100Ms: mostWithin(times, 100),
  moved: last.closed.filter(({ user, code }) => plan.moving.has(user) && code === movedCode).length,
  closedTwice: last.closed.length - new Set(last.closed.map(({ user }) => user)).size,
  closedOthers: last.closed.filter(({ user }) => !plan.moving.has(user)).length,
  otherCloses: last.closed.filter(({ code }) => code !== movedCode).length,
  awayP50Ms: away[Math.floor(away.length / 2)]!,
  awayP99Ms: away[Math.floor(away.length * 0.99)]!,
  refusedUpgrades: last.refused,
  calmP50Ms: calm.getValueAtPercentile(50) / 1000,
  calmP99Ms: calm.getValueAtPercentile(99) / 1000,
  movingP50Ms: moving.getValueAtPercentile(50) / 1000,
  movingP99Ms: moving.getValueAtPercentile(99) / 1000,
  movingMaxMs: moving.maxValue / 1000,
  receipts: truth.receipts,
  undelivered: truth.undelivered,
  lost: truth.lost,
  duplicated: truth.duplicated,
  denied: truth.denied,
  disordered: last.disordered,
  clientsLongestStallMs: last.longestStallMs,
  falselyOffline: load.saidOffline.filter((said) => !wasAway(said, last.closed)).length,
});

/** The closes, when everybody who moves has been closed and is connected again. */
async function everybodyBack(): Promise<readonly Closed[]> {
  const lastMs = performance.now() + longestMs;
  for (;;) {
    const { closed: all, connected } = await service.clients.ask('status');
    if (all.length >= movingUsers && connected === plan.users.length) return all;
    if (performance.now() > lastMs) {
      throw new Error(`${all.length} closed and ${connected} connected after ${longestMs} ms`);
    }
    await pause(200);
  }
}

/** Whether the user was without a connection at some time between the message and its receipt. */
function wasAway({ user, sentMs, answeredMs }: SaidOffline, all: readonly Closed[]): boolean {
  return all.some(
    (close) =>
      close.user === user && sentMs - slackMs <= close.backAtMs && answeredMs + slackMs >= close.atMs,
  );
}

function mostWithin(sorted: readonly number[], ms: number): number {
  let most = 0;
  let from = 0;
  sorted.forEach((at, i) => {
    while (sorted[from]! < at - ms) from++;
    most = Math.max(most, i - from + 1);
  });
  return most;
}
