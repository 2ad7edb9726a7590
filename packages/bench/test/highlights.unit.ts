import t from 'tap';
import { highlights } from '../src/report/highlights.js';
import type { Comparison, Contender, Run } from '../src/result.js';

const run = (strategy: Contender, nodes: number, more: Partial<Run>): Run => ({
  strategy,
  nodes,
  phase: 'saturation',
  round: 1,
  sent: 10,
  delivered: 10,
  lost: 0,
  duplicated: 0,
  refused: 0,
  deliveriesPerSecond: 1000,
  ...more,
});

t.test('the few figures are those with the most nodes, a column for each strategy that ran', async (t) => {
  const runs = [
    run('broadcast', 3, { deliveriesPerSecond: 1 }),
    run('ring', 10, { deliveriesPerSecond: 4000 }),
    run('ring', 10, { deliveriesPerSecond: 6000, round: 2 }),
    run('ring', 10, { phase: 'kill', refused: 7 }),
    run('broadcast', 10, { phase: 'kill', lost: 5 }),
  ];
  const [head, ...rows] = highlights({ runs } as unknown as Comparison);
  t.same(head, ['10 nodes', '`ring`', '`broadcast`']);
  t.same(rows[0], ['deliveries/s, saturated', '5,000 (4,000-6,000)', '–'], 'what was not measured is no 0');
  t.same(rows.at(-2)!.slice(1), ['0', '5']);
  t.same(rows.at(-1)!.slice(1), ['7', '0']);
});
