import t from 'tap';
import { textReport } from '../src/report/text-report.js';
import type { Comparison } from '../src/result.js';
import { fixtureComparison, without, withRuns } from './kit/fixture.js';

/** The cells of the row with this label, in the table with this title, after the group with this title. */
function cells(report: string, table: string, group: string, label: string): readonly string[] {
  const lines = report.slice(report.indexOf(`${table}\n`)).split('\n');
  const rows = lines.slice(lines.findIndex((line) => line.startsWith(group)));
  const row = rows.find((line) => line.trimStart().startsWith(`${label} `))!;
  return row
    .split('│')
    .slice(1)
    .map((cell) => cell.trim());
}

function widest(report: string): number {
  return Math.max(...report.split('\n').map((line) => [...line].length));
}

t.test('a report for a terminal', async (t) => {
  const report = textReport(fixtureComparison());

  t.test('says first under which conditions it was measured', async (t) => {
    const [when, where, load] = report.split('\n');
    t.equal(when, '2026-11-25T10:00:00.000Z · pinwheel 0.1.0 · node v20.18.0 · redis 7.0.15');
    t.match(where, '8 cores of Example CPU @ 2.50GHz · 32.0 GiB · 10,000 users · 1 edge');
    t.match(
      load,
      'fixed rate 20,000 messages/s for 20 s · saturated for 10 s with 1,000 outstanding · 3 rounds',
    );
  });

  t.test('has what a message costs, for each node count, with the spread', async (t) => {
    t.same(cells(report, 'Cost with 10 nodes', 'saturated', 'messages/delivery'), ['1', '2', '11', '11']);
    t.same(cells(report, 'Cost with 3 nodes', 'saturated', 'messages/delivery'), ['1', '2', '4', '4']);
    t.same(cells(report, 'Cost with 3 nodes', 'saturated', 'bytes/delivery'), ['188', '396', '776', '832']);
    const cpu = cells(report, 'Cost with 5 nodes', 'saturated', 'CPU µs/delivery');
    t.same(cpu.slice(0, 2), ['4.20 (4.07-4.33)', '9.70 (9.41-9.99)']);
    t.equal(cells(report, 'Cost with 5 nodes', 'saturated', '- sender')[1], '2.50 (2.42-2.58)');
    t.equal(cells(report, 'Cost with 5 nodes', 'saturated', '- queue')[2], '1.75 (1.70-1.80)');
    t.equal(cells(report, 'Cost with 5 nodes', 'saturated', 'deliveries/s')[0], '167k (162k-172k)');
    t.match(cells(report, 'Cost with 5 nodes', '20,000 messages/s', 'latency p99.9, ms')[0], /^3\.41 \(/);
  });

  t.test('has what a change does', async (t) => {
    t.equal(cells(report, 'Changes from 5 nodes', 'a node joins', 'users disturbed')[1], '0');
    t.equal(cells(report, 'Changes from 5 nodes', 'a node is killed', 'lost')[0], '40 (39-41)');
    t.equal(cells(report, 'Changes from 5 nodes', 'a node drains', 'duplicated')[2], '12');
    t.match(cells(report, 'Changes from 5 nodes', 'a node is killed', 'seconds to steady')[0], /^4 \(/);
  });

  t.test('has the ring beside the others', async (t) => {
    t.match(report, 'ratio  10 nodes  CPU of ring / broadcast: 0.4 saturated, 0.4 at the fixed rate');
    t.equal(report.match(/^ratio /gm)?.length, 9);
  });

  t.test('shows what was not measured as a dash, never as 0', async (t) => {
    t.equal(cells(report, 'Cost with 3 nodes', 'saturated', '- queue')[0], '–');
    const bare = withRuns(fixtureComparison(), (run) =>
      without(run, 'cpuMicrosPerDelivery', 'messagesBetweenProcesses', 'secondsToSteady'),
    );
    const text = textReport(bare);
    const dashes = ['–', '–', '–', '–'];
    t.same(cells(text, 'Cost with 3 nodes', 'saturated', 'CPU µs/delivery'), dashes);
    t.same(cells(text, 'Cost with 3 nodes', 'saturated', 'messages/delivery'), dashes);
    t.same(cells(text, 'Changes from 3 nodes', 'a node drains', 'seconds to steady'), dashes);
    t.notMatch(text, 'ratio ');
  });

  t.test('leaves out what did not run', async (t) => {
    const quick = withRuns(fixtureComparison(), (run) => {
      return run.phase === 'saturation' && run.strategy !== 'broadcast' ? run : undefined;
    });
    const text = textReport(quick);
    t.notMatch(text, 'Changes');
    t.notMatch(text, /^20,000 messages\/s /m);
    t.notMatch(text, / broadcast( |$)/m);
    t.match(textReport({ ...quick, runs: [] }), 'nothing ran');
  });

  t.test('warns of nothing when there is nothing to warn of', async (t) => {
    t.notMatch(report, /^!/m);
  });
});

t.test('a report warns', async (t) => {
  const warned = (comparison: Comparison) =>
    textReport(comparison)
      .replaceAll('\n  ', ' ')
      .split('\n')
      .filter((line) => line.startsWith('! '));

  t.test('when the load generator was the bottleneck', async (t) => {
    const busy = withRuns(fixtureComparison(), (run) =>
      run.strategy === 'ring' && run.nodes === 5 && run.round !== 2 ? { ...run, generatorBusy: 0.97 } : run,
    );
    t.match(warned(busy), [
      /^! ring, 5 nodes, saturated: the load generator was the bottleneck .*rounds 1, 3/,
    ]);
    t.equal(warned(busy).length, 1);
    const full = withRuns(fixtureComparison(), (run) => ({ ...run, generatorBusy: 0.9 }));
    t.same(warned(full), []);
  });

  t.test('when there are too few rounds', async (t) => {
    t.same(warned(fixtureComparison({ rounds: 1 })), [
      '! one round: no spread; run without --quick to judge',
    ]);
    t.match(warned(fixtureComparison({ rounds: 2 })), [/^! 2 rounds: too few/]);
  });

  t.test('when the fixed rate was not kept', async (t) => {
    const slow = withRuns(fixtureComparison(), (run) =>
      run.strategy === 'broadcast-unbatched' && run.phase === 'steady' && run.nodes === 10
        ? { ...run, deliveriesPerSecond: 6000 }
        : run,
    );
    t.match(warned(slow), [/^! broadcast-unbatched, 10 nodes, fixed rate: less than 95 % of 20,000/]);
  });

  t.test('when not every round became steady again', async (t) => {
    const once = withRuns(fixtureComparison(), (run) =>
      run.strategy === 'ring' && run.nodes === 3 && run.phase === 'kill' && run.round === 1
        ? without(run, 'secondsToSteady')
        : run,
    );
    t.match(warned(once), [/^! ring, 3 nodes, kill: steady again in 2 of 3 rounds only/]);
    const never = withRuns(fixtureComparison(), (run) =>
      run.strategy === 'ring' && run.nodes === 3 && run.phase === 'kill'
        ? without(run, 'secondsToSteady')
        : run,
    );
    t.match(warned(never), [
      /^! ring, 3 nodes, kill: steady again in 0 of 3 rounds only; there is no figure/,
    ]);
  });

  t.test('when messages were refused under saturation', async (t) => {
    const refused = withRuns(fixtureComparison(), (run) =>
      run.strategy === 'ring' && run.nodes === 3 && run.phase === 'saturation' ? { ...run, refused: 1 } : run,
    );
    t.match(warned(refused), [/^! ring, 3 nodes, saturated: messages were refused .*rounds 1, 2, 3/]);
  });

  t.test('of what is missing', async (t) => {
    const missing = ['NATS: no server found; install nats-server'];
    t.same(warned(fixtureComparison({ missing })), ['! missing: NATS: no server found; install nats-server']);
  });
});

t.test('what did not come is shown, whatever its sender was told', async (t) => {
  const killed = withRuns(fixtureComparison(), (run) =>
    run.phase === 'kill' ? { ...run, sent: 100, delivered: 80, refused: 17, lost: 0, nodesBefore: 4 } : run,
  );
  const text = textReport(killed);
  const after = text.slice(text.indexOf('a node is killed'));
  t.match(after, /nodes before +│ +4 /);
  t.match(after, /not delivered +│ +20 /);
  t.match(after, /refused +│ +17 /);
});

t.test('a report is at most 110 characters wide', async (t) => {
  t.ok(widest(textReport(fixtureComparison())) <= 110);

  t.test('whatever the figures are', async (t) => {
    const amounts = [0.0001234, 0.1239, 123.456, 9999.4, 99_999, 999_499_999, 9.99e14];
    const wild = withRuns(fixtureComparison({ rate: 1e12 }), (run) => {
      const at = (i: number) => amounts[(run.round * 2 + i) % amounts.length]!;
      return {
        ...run,
        lost: Math.round(at(0)),
        deliveriesPerSecond: at(1),
        messagesBetweenProcesses: at(2),
        cpuMicrosPerDelivery: { total: at(3), sender: at(4), queue: at(5), nodes: at(6), edges: at(0) },
        latencyMs: { p50: at(0), p99: at(1), p999: at(2), max: at(3) },
      };
    });
    t.ok(widest(textReport(wild)) <= 110);
    t.notMatch(textReport(wild), '…');
  });

  t.test('and nothing in it moves the cursor', async (t) => {
    const hostile = `\u001b[2J\u0007${'X'.repeat(300)}\r\n\u202eabc`;
    const text = textReport(
      fixtureComparison({ cpu: hostile, missing: [`${'word '.repeat(60)}${hostile}`] }),
    );
    t.ok(widest(text) <= 110);
    t.notMatch(text.replaceAll('\n', ''), /[\p{Cc}\p{Cf}]/u);
  });
});
