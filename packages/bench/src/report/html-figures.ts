import type { Comparison, Phase } from '../result.js';
import { changePlot } from './change-plot.js';
import { htmlFigure } from './html-figure.js';
import { latencyPlot, latencyRange } from './latency-plot.js';
import { nodesPlot, rangeOf } from './nodes-plot.js';
import { wholeText } from './number-text.js';
import { contendersOf, nodeCountsOf, type PhaseSummary } from './summary.js';

const changes = [
  ['join', 'a node joins'],
  ['drain', 'a node drains'],
  ['kill', 'a node is killed'],
] as const satisfies readonly (readonly [Phase, string])[];

/** Every plot of which something was measured, as sections of a page. */
export function htmlFigures(comparison: Comparison, summaries: readonly PhaseSummary[]): readonly string[] {
  return [
    costFigure(comparison, summaries),
    copiesFigure(comparison, summaries),
    latencyFigure(comparison),
    changeFigure(comparison),
  ].filter((figure) => figure !== '');
}

function costFigure(comparison: Comparison, summaries: readonly PhaseSummary[]): string {
  const range = rangeOf(summaries, ['saturation', 'steady'], 'cpu');
  const rate = `${wholeText(comparison.conditions.rate)} messages/s`;
  const sides = [
    { phase: 'saturation', title: 'Saturated' },
    { phase: 'steady', title: `At ${rate}` },
  ] as const;
  const plots = sides.flatMap(({ phase, title }) => {
    if (range === undefined || rangeOf(summaries, [phase], 'cpu') === undefined) return [];
    const named = { id: `cost-${phase}`, title: `CPU time per message delivered over nodes: ${title}` };
    const axis = 'µs per delivery';
    return [{ title, svg: nodesPlot(comparison, summaries, { ...named, phase, name: 'cpu', axis, range }) }];
  });
  return htmlFigure({
    title: 'CPU per message delivered',
    legend: contendersOf(comparison.runs),
    plots,
    caption:
      'CPU time of senders, queue, nodes and edges together for each message that came to its client. A point is the ' +
      'median of the rounds, the thin vertical line goes from the least to the most. Both axes are logarithmic: the ' +
      'same distance is the same factor. It shows the cost of one machine that ran everything; networks between ' +
      'machines, and the clients and the load generator, are not in it.',
  });
}

function copiesFigure(comparison: Comparison, summaries: readonly PhaseSummary[]): string {
  const name = 'messagesPerDelivery';
  const phase = rangeOf(summaries, ['saturation'], name) === undefined ? 'steady' : 'saturation';
  const range = rangeOf(summaries, [phase], name);
  const title = 'Copies of a message between processes, over nodes';
  const axis = 'copies per delivery';
  const phaseTitle = phase === 'saturation' ? 'Saturated' : 'At the fixed rate';
  const named = { id: 'copies', title, phase, name, axis, range: range ?? [1, 10] } as const;
  return htmlFigure({
    title: 'Copies between processes',
    legend: contendersOf(comparison.runs),
    plots: range === undefined ? [] : [{ title: phaseTitle, svg: nodesPlot(comparison, summaries, named) }],
    caption:
      'How often the payload of one delivered message crossed from one process to another between sender and nodes, ' +
      'the queue included; counted by the processes themselves. Both axes are logarithmic. What a queue costs beyond ' +
      'copies, such as looking up a user or renewing a lease, is not counted here, nor are edges and receipts. ' +
      'broadcast and broadcast-unbatched make the same copies, so their lines may cover each other.',
  });
}

function latencyFigure({ conditions, runs }: Comparison): string {
  const measured = runs.filter(
    ({ phase, latencyCurve = [] }) => phase === 'steady' && latencyCurve.length > 0,
  );
  const range = latencyRange(measured);
  const plots = nodeCountsOf(measured).map((nodes) => {
    const named = { id: `latency-${nodes}`, title: `Latency at the fixed rate with ${countedNodes(nodes)}` };
    const own = measured.filter((run) => run.nodes === nodes);
    return { title: capital(countedNodes(nodes)), svg: latencyPlot(named, own, range) };
  });
  return htmlFigure({
    title: `Latency at ${wholeText(conditions.rate)} messages per second`,
    legend: contendersOf(measured),
    plots,
    caption:
      'The share of messages, stretched towards 100 %, that arrived within so many ms of the time at which they were ' +
      'to be sent; a sender that falls behind is therefore seen. The thick line is the round in the middle by its p99, thin ones are the others. The slowest message of all is in ' +
      'the tables. Sender, nodes and clients ran on one machine, so the network between machines is not in it.',
  });
}

function changeFigure({ runs }: Comparison): string {
  const measured = runs.filter(({ timeline = [] }) => timeline.length > 0);
  const seconds = measured.flatMap(({ timeline = [] }) => timeline);
  const most = seconds.reduce((so, { sent, delivered }) => Math.max(so, sent, delivered), 1);
  const plots = nodeCountsOf(measured).flatMap((nodes) =>
    changes.flatMap(([phase, what]) => {
      const own = measured.filter((run) => run.nodes === nodes && run.phase === phase);
      if (own.length === 0) return [];
      const named = {
        id: `change-${phase}-${nodes}`,
        title: `Deliveries around a change: ${what} of ${nodes}`,
      };
      return [{ title: `${countedNodes(nodes)}: ${what}`, svg: changePlot(named, own, most) }];
    }),
  );
  return htmlFigure({
    title: 'When the nodes change',
    legend: [],
    small: true,
    plots,
    caption:
      'Messages sent (grey) and delivered (coloured) in each second around a change at second 0; one line a round. ' +
      'Where the coloured line is lower, messages were late or lost; which of both, the tables say. A second is too ' +
      'long to show a shorter gap.',
  });
}

function countedNodes(nodes: number): string {
  return `${nodes} ${nodes === 1 ? 'node' : 'nodes'}`;
}

function capital(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
}
