import { notMeasured } from '../report/figure-text.js';
import { numberText, wholeText } from '../report/number-text.js';
import type { Row } from '../report/report-table.js';
import { textTable } from '../report/text-table.js';
import { wrapText } from '../report/wrap-text.js';
import type { ModelResult, StrategyModel } from './model-result.js';

type Read = (model: StrategyModel) => number | undefined;
type Labelled = readonly (readonly [label: string, read: Read])[];

const traffic: Labelled = [
  ['copies/message', (model) => model.copiesPerMessage],
  ['copies/s', (model) => model.messagesBetweenProcessesPerSecond],
  ['bytes/s', (model) => model.bytesBetweenProcessesPerSecond],
  ['bytes/s into a node', (model) => model.bytesIntoEachNodePerSecond],
  ['route reads/s', (model) => model.registryReadsPerSecond],
  ['route renewals/s', (model) => model.registryWritesPerSecond],
];

const cores: Labelled = [
  ['senders', (model) => model.cores.sender],
  ['queue', (model) => model.cores.queue],
  ['nodes', (model) => model.cores.nodes],
  ['edges', (model) => model.cores.edges],
  ['total', (model) => model.cores.total],
  ['machines, by cores', (model) => model.machines],
];

const held: Labelled = [
  ['edge-node links', (model) => model.links],
  ['to the queue', (model) => model.queueConnections],
  ['routes, bytes', (model) => model.routeMemoryBytes],
];

/** The model for a terminal, at most 110 characters wide. */
export function textModel({ demand, strategies, assumptions }: ModelResult): string {
  const rows = (labelled: Labelled): readonly Row[] =>
    labelled.map(([label, read]) => ({ label, cells: strategies.map((model) => cell(read(model))) }));
  const { users, nodes, edges, messagesPerSecond } = demand;
  const title =
    `${wholeText(users)} users, ${wholeText(nodes)} nodes, ${wholeText(edges)} edges, ` +
    `${wholeText(messagesPerSecond)} messages/s of ${wholeText(demand.payloadBytes)} bytes`;
  const table = textTable({
    title,
    columns: strategies.map(({ strategy }) => strategy),
    groups: [
      { title: 'between processes', rows: rows(traffic) },
      { title: 'cores', rows: rows(cores) },
      { title: 'connections, memory', rows: rows(held) },
    ],
  });
  const limits = strategies.map(({ strategy, firstLimit: { used, text } }) => {
    const verdict =
      used > 1 ? `does not work (${numberText(used)} times)` : `${(used * 100).toFixed(0)} % used`;
    return wrapText(`${strategy}: ${text} – ${verdict}`);
  });
  const granted = assumptions.map((sentence) => wrapText(`- ${sentence}`));
  return [table, ['What is full first', ...limits].join('\n'), ['Assumptions', ...granted].join('\n')].join(
    '\n\n',
  );
}

function cell(value: number | undefined): string {
  return value === undefined ? notMeasured : numberText(value);
}
