import { compareWithRuns, measuredCosts } from '@pinwheel/bench';
import t from 'tap';
import { startRedis } from './kit/queues.js';
import { runBench } from './kit/run-bench.js';

const redis = await startRedis(t);

t.test('a message takes 1 copy by the ring, 2 by a registry, N + 1 by broadcast', async (t) => {
  const strategies = ['--strategies', 'ring,registry,broadcast'];
  const comparison = await runBench(
    t,
    ...strategies,
    '--nodes',
    '3,5,10',
    '--phases',
    'steady',
    '--redis',
    redis.url,
  );
  const copies = { ring: () => 1, registry: () => 2, broadcast: (nodes: number) => nodes + 1 };
  t.equal(comparison.runs.length, 9);
  for (const run of comparison.runs) {
    const { strategy, nodes, sent, delivered } = run;
    const name = `${strategy}, ${nodes} nodes`;
    t.ok(sent >= 400, `${name}: ${sent} sent`);
    t.match(run, { delivered: sent, lost: 0, duplicated: 0, refused: 0 }, name);
    t.equal(run.messagesBetweenProcesses! / sent, copies[strategy as keyof typeof copies](nodes), name);
    // each copy has the payload, and some words around it
    const perCopy = run.bytesBetweenProcesses! / run.messagesBetweenProcesses!;
    t.ok(perCopy > 128 && perCopy < 256, `${name}: ${perCopy} bytes a copy`);
    t.ok(run.latencyMs!.p50 > 0 && run.latencyMs!.p50 <= run.latencyMs!.max, `${name}: latencies`);
    t.ok(run.cpuMicrosPerDelivery!.total > 0, `${name}: CPU`);
    t.equal('queue' in run.cpuMicrosPerDelivery!, strategy !== 'ring', `${name}: whose CPU`);
    t.ok(delivered > 0);
  }
  t.match(comparison.text, /ring[\s\S]*registry[\s\S]*broadcast/, 'it ends in a table');
  t.match(comparison.html, /<svg/, 'and a report with plots');

  const checks = compareWithRuns(comparison, measuredCosts);
  t.equal(checks.length, 2 * comparison.runs.length, 'messages and bytes of every run');
  for (const { strategy, nodes, figure, relativeError } of checks) {
    const says = `${strategy}, ${nodes} nodes, ${figure}: the model is off by ${relativeError}`;
    t.ok(Math.abs(relativeError) <= 0.2, says);
  }
});
