import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Comparison } from '@pinwheel/bench';
import t from 'tap';
import { pinwheelProgram } from './kit/pinwheel-process.js';
import { startRedis } from './kit/queues.js';
import { runBench } from './kit/run-bench.js';
import { runNode } from './kit/run-node.js';
import { until } from './kit/until.js';

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

t.test(
  'what fails costs nothing that was measured: the rest is reported, and the exit code says it',
  async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'pinwheel-test-'));
    t.teardown(() => rmSync(folder, { recursive: true, force: true }));
    const result = join(folder, 'result.json');
    const own = await startRedis(t);
    const child = runNode(
      [
        ...[pinwheelProgram, 'bench', '--strategies', 'ring,registry', '--nodes', '2', '--users', '20'],
        ...['--phases', 'steady', '--steady-seconds', '1', '--warm-up', '0', '--rounds', '1'],
        ...['--redis', own.url, '--json', result],
      ],
      { env: { PATH: process.env['PATH'], TMPDIR: folder } },
    );
    t.teardown(() => child.kill('SIGKILL'));
    let said = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
    let report = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      report += text;
    });
    const exit = once(child, 'close');
    await until('the ring has its turn', () => said.includes('[1/2] ring'), { deadlineMs: 60_000 });
    await own.stop();
    t.same(await exit, [1, null], said);
    t.match(said, '[1/2] ring, 2 nodes, round 1: steady', 'a log that nobody watches says where it is');
    const { runs, conditions } = JSON.parse(readFileSync(result, 'utf8')) as Comparison;
    t.match(runs, [{ strategy: 'ring', phase: 'steady', lost: 0 }]);
    t.equal(runs.length, 1);
    t.match(conditions.missing, [/^registry, 2 nodes, round 1: no Redis answers at /]);
    t.match(report, /missing: registry, 2 nodes, round 1/);
  },
);

t.test('what a bench has started ends with it', async (t) => {
  for (const [signal, code, word] of [
    ['SIGINT', 1, /the bench was ended before it was done\n$/],
    ['SIGHUP', 1, /^(\[1\/1\] .*\n)*$/],
  ] as const) {
    const folder = mkdtempSync(join(tmpdir(), 'pinwheel-test-'));
    t.teardown(() => rmSync(folder, { recursive: true, force: true }));
    const words = [
      'bench',
      '--strategies',
      'ring',
      '--nodes',
      '2',
      '--users',
      '20',
      '--phases',
      'steady,saturation',
    ];
    const times = ['--steady-seconds', '10', '--saturation-seconds', '10', '--warm-up', '0', '--rounds', '1'];
    // a group of its own, as a terminal has one: Ctrl-C reaches all of it
    const child = runNode([pinwheelProgram, ...words, ...times], {
      env: { PATH: process.env['PATH'], TMPDIR: folder },
      detached: true,
    });
    t.teardown(() => child.kill('SIGKILL'));
    let said = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
    const exit = once(child, 'exit');
    await until('two nodes, and who sends and takes', () => processesOf(folder).length >= 4, {
      deadlineMs: 60_000,
    });
    process.kill(-child.pid!, signal);
    t.same(await exit, [code, null], said);
    t.match(said, word);
    await until('all of it has gone', () => processesOf(folder).length === 0, { deadlineMs: 30_000 });
    t.same(readdirSync(folder), [], `${signal} leaves no files`);
  }
});

function processesOf(folder: string): readonly string[] {
  return readdirSync('/proc').filter((pid) => {
    try {
      return /^\d+$/.test(pid) && readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(folder);
    } catch {
      return false;
    }
  });
}
