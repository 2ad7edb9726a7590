import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import t from 'tap';
import { compareWithRuns } from '../src/model/compare-with-runs.js';
import { costAt, measuredCosts } from '../src/model/costs.js';
import { costsOf } from '../src/model/costs-of.js';
import { fitLine } from '../src/model/fit-line.js';
import { readComparison } from '../src/report/read-comparison.js';
import type { Contender } from '../src/result.js';
import { fixtureComparison, trueCosts, without, withRuns } from './kit/fixture.js';
import { isNear } from './kit/is-near.js';

t.test('costs of a comparison', async (t) => {
  t.test('are those that the runs were made of, within 1 %', async (t) => {
    const { strategies } = costsOf(fixtureComparison());
    for (const [name, cost] of Object.entries(trueCosts)) {
      const found = strategies[name as Contender];
      t.ok(isNear(found.sender, cost.sender), `${name} sender`);
      t.ok(isNear(found.edges, cost.edges), `${name} edges`);
      t.ok(isNear(found.overheadBytes, cost.overhead), `${name} overhead`);
      for (const nodes of [1, 7, 500]) {
        t.ok(isNear(costAt(found.queue, nodes), cost.queue?.(nodes) ?? 0), `${name} queue, ${nodes} nodes`);
        t.ok(isNear(costAt(found.nodes, nodes), cost.nodes(nodes)), `${name} nodes, ${nodes} nodes`);
      }
    }
    t.ok(isNear(strategies.broadcast.queue.perNode, 0.25));
    t.ok(isNear(strategies.broadcast.nodes.fixed, 1.6));
  });

  t.test('of what was not measured are built in, and it is said', async (t) => {
    const bare = withRuns(fixtureComparison(), (run) =>
      run.strategy === 'registry' ? without(run, 'cpuMicrosPerDelivery') : run,
    );
    const { strategies, notes, source } = costsOf(bare);
    t.equal(strategies.registry.sender, measuredCosts.strategies.registry.sender);
    t.match(notes, ['registry: not measured, so as built in: sender, queue, nodes, edges.']);
    t.match(source, 'Example CPU');
  });

  t.test('with one node count keep the built-in shape, and it is said', async (t) => {
    const { strategies, notes } = costsOf(fixtureComparison({ nodeCounts: [10] }));
    t.ok(isNear(costAt(strategies.broadcast.queue, 10), 3));
    t.match(notes.join('\n'), 'broadcast: measured with 10 nodes only');
  });

  t.test('make no discount of noise', async (t) => {
    t.same(
      fitLine([
        [3, 5],
        [10, 3],
      ]),
      { fixed: 4, perNode: 0 },
    );
    const line = fitLine([
      [1, 1],
      [2, 5],
      [3, 9],
    ])!;
    t.equal(line.fixed, 0);
    t.ok(isNear(line.perNode, 38 / 14));
    t.equal(
      fitLine([
        [3, 5],
        [3, 6],
      ]),
      undefined,
    );
    t.equal(fitLine([]), undefined);
  });

  t.test('of any straight line are found', async () => {
    const amount = fc.double({ min: 0, max: 1000, noNaN: true });
    fc.assert(
      fc.property(amount, amount, (fixed, perNode) => {
        const line = fitLine([3, 5, 10, 40].map((nodes) => [nodes, fixed + perNode * nodes] as const))!;
        return [1, 10, 500].every((nodes) => isNear(costAt(line, nodes), fixed + perNode * nodes, 1e-6));
      }),
    );
  });
});

t.test('the model agrees with the runs it stands beside', async (t) => {
  const checks = compareWithRuns(fixtureComparison());
  t.equal(checks.length, 4 * 3 * 2 * 2);
  t.ok(checks.every(({ relativeError }) => Math.abs(relativeError) < 1e-9));

  t.test('and says by how much where it does not', async (t) => {
    const more = withRuns(fixtureComparison(), (run) =>
      run.strategy === 'ring' ? { ...run, messagesBetweenProcesses: run.delivered * 1.25 } : run,
    );
    const off = compareWithRuns(more).filter(({ relativeError }) => Math.abs(relativeError) > 1e-9);
    t.ok(off.every(({ strategy, figure }) => strategy === 'ring' && figure === 'messages'));
    t.ok(off.every(({ relativeError }) => isNear(relativeError, -0.2)));
    t.equal(off.length, 6);
  });
});

t.test('what is built in is what the documented comparison measured', async (t) => {
  const file = new URL('../../../docs/measured/comparison.json', import.meta.url);
  const { strategies } = costsOf(readComparison(JSON.parse(readFileSync(file, 'utf8'))));
  const isAsRounded = (built: number, measured: number): boolean =>
    Math.abs(built - measured) <= measured / 100;
  for (const [name, measured] of Object.entries(strategies)) {
    const built = measuredCosts.strategies[name as Contender];
    t.ok(isAsRounded(built.sender, measured.sender), `${name}, sender`);
    t.ok(isAsRounded(built.overheadBytes, measured.overheadBytes), `${name}, bytes of a copy`);
    for (const nodes of [3, 10, 500]) {
      t.ok(isAsRounded(costAt(built.nodes, nodes), costAt(measured.nodes, nodes)), `${name}, ${nodes} nodes`);
      t.ok(
        isAsRounded(costAt(built.queue, nodes), costAt(measured.queue, nodes)),
        `${name}, queue of ${nodes}`,
      );
    }
  }
});
