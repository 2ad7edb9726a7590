import t from 'tap';
import { startRedis } from './kit/queues.js';
import { runBench } from './kit/run-bench.js';

const redis = await startRedis(t);
/** To one of three nodes, of 400 messages a second, on a machine that may stand still for a second. */
const mostInFlight = 140;

t.test(
  'saturated and unbatched: as many copies, each with a post of its own; edges change nothing',
  async (t) => {
    const comparison = await runBench(
      t,
      ...['--strategies', 'ring,broadcast-unbatched', '--nodes', '3', '--edges', '1'],
      ...['--phases', 'saturation', '--redis', redis.url],
    );
    t.same(
      comparison.runs.map(({ strategy, lost, duplicated, refused }) => ({
        strategy,
        lost,
        duplicated,
        refused,
      })),
      ['ring', 'broadcast-unbatched'].map((strategy) => ({ strategy, lost: 0, duplicated: 0, refused: 0 })),
    );
    t.same(
      comparison.runs.map(({ messagesBetweenProcesses, sent }) => messagesBetweenProcesses! / sent),
      [1, 4],
    );
    for (const run of comparison.runs) t.ok(run.cpuMicrosPerDelivery!.edges! > 0, 'the edge is seen');
  },
);

t.test('nodes join, drain and are killed: what is lost and who is disturbed is counted', async (t) => {
  const { runs } = await runBench(t, '--strategies', 'ring', '--nodes', '3', '--phases', 'join,drain,kill');
  t.same(
    runs.map(({ phase }) => phase),
    ['join', 'drain', 'kill'],
  );
  for (const run of runs) {
    const { phase, sent, delivered, lost, refused, timeline } = run;
    // what a killed node had in flight is tried again, and a client of its own port may have had it
    const mostTwice = phase === 'kill' ? mostInFlight : 0;
    t.ok(run.duplicated <= mostTwice, `${phase}: ${run.duplicated} came twice`);
    if (phase !== 'kill') t.equal(lost, 0, `${phase}: none lost`);
    t.ok(
      run.disturbedUsers! > 0 && run.disturbedUsers! < 60,
      `${phase}: ${run.disturbedUsers} users disturbed`,
    );
    t.ok(sent - delivered >= lost && sent - delivered <= lost + refused + 60, phase);
    t.equal(
      timeline!.reduce((sum, second) => sum + second.sent, 0),
      sent,
      `${phase}: the timeline has every message`,
    );
    t.ok(timeline![0]!.second < 0 && timeline!.at(-1)!.second >= 4, `${phase}: before and after the change`);
  }
});
