import type { Comparison, Phase } from '../result.js';
import { figureText } from './figure-text.js';
import { wholeText } from './number-text.js';
import type { Reading } from './reading.js';
import type { ReportTable, RowGroup } from './report-table.js';
import { contendersOf, figureIn, nodeCountsOf, type PhaseSummary } from './summary.js';

type Labelled = readonly (readonly [label: string, name: Reading])[];

const traffic: Labelled = [
  ['messages/delivery', 'messagesPerDelivery'],
  ['bytes/delivery', 'bytesPerDelivery'],
];

const losses: Labelled = [
  ['lost', 'lost'],
  ['duplicated', 'duplicated'],
  ['refused', 'refused'],
];

const saturated: Labelled = [
  ['deliveries/s', 'deliveriesPerSecond'],
  ...traffic,
  ['CPU µs/delivery', 'cpu'],
  ['- sender', 'cpuSender'],
  ['- queue', 'cpuQueue'],
  ['- nodes', 'cpuNodes'],
  ['- edges', 'cpuEdges'],
  ...losses,
];

const steady: Labelled = [
  ['CPU µs/delivery', 'cpu'],
  ['latency p50, ms', 'p50'],
  ['latency p99, ms', 'p99'],
  ['latency p99.9, ms', 'p999'],
  ['latency max, ms', 'max'],
  ...traffic,
  ...losses,
];

const changed: Labelled = [
  ['nodes before', 'nodesBefore'],
  ['not delivered', 'undelivered'],
  ...losses,
  ['users disturbed', 'disturbedUsers'],
  ['seconds to steady', 'secondsToSteady'],
];

/** What a message costs: a table for each node count. */
export function costTables(
  { conditions, runs }: Comparison,
  summaries: readonly PhaseSummary[],
): readonly ReportTable[] {
  const fixedRate = `${wholeText(conditions.rate)} messages/s`;
  return tables(runs, summaries, 'Cost with', [
    ['saturation', 'saturated', saturated],
    ['steady', fixedRate.length <= 22 ? fixedRate : 'fixed rate', steady],
  ]);
}

/** What a change of the nodes does: a table for each node count at which one was made. */
export function changeTables(
  { runs }: Comparison,
  summaries: readonly PhaseSummary[],
): readonly ReportTable[] {
  return tables(runs, summaries, 'Changes from', [
    ['join', 'a node joins', changed],
    ['drain', 'a node drains', changed],
    ['kill', 'a node is killed', changed],
  ]);
}

function tables(
  runs: Comparison['runs'],
  summaries: readonly PhaseSummary[],
  subject: string,
  groups: readonly (readonly [phase: Phase, title: string, rows: Labelled])[],
): readonly ReportTable[] {
  const columns = contendersOf(runs);
  return nodeCountsOf(runs).flatMap((nodes) => {
    const measured = groups.flatMap(([phase, title, rows]): readonly RowGroup[] => {
      if (!summaries.some((summary) => summary.nodes === nodes && summary.phase === phase)) return [];
      const filled = rows.map(([label, name]) => ({
        label,
        cells: columns.map((strategy) => figureText(figureIn(summaries, { strategy, nodes, phase }, name))),
      }));
      return [{ title, rows: filled }];
    });
    const title = `${subject} ${nodes} ${nodes === 1 ? 'node' : 'nodes'}`;
    return measured.length === 0 ? [] : [{ title, columns, groups: measured }];
  });
}
