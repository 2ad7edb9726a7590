import type { Comparison, Phase } from '../result.js';
import { figureText } from './figure-text.js';
import type { Reading } from './reading.js';
import { contendersOf, figureIn, nodeCountsOf, summarize } from './summary.js';

/** What a choice hangs on. */
const rows: readonly (readonly [title: string, phase: Phase, name: Reading])[] = [
  ['deliveries/s, saturated', 'saturation', 'deliveriesPerSecond'],
  ['CPU of a delivery, saturated, µs', 'saturation', 'cpu'],
  ['latency p99 at the fixed rate, ms', 'steady', 'p99'],
  ['a node is killed: messages lost, and nobody knows of it', 'kill', 'lost'],
  ['a node is killed: messages refused, so that they can be sent again', 'kill', 'refused'],
];

/** The rows of a table of the few figures with the most nodes that ran, the head first. */
export function highlights({ runs }: Comparison): readonly (readonly string[])[] {
  const summaries = summarize(runs);
  const nodes = nodeCountsOf(runs).at(-1) ?? 0;
  const strategies = contendersOf(runs);
  return [
    [`${nodes} nodes`, ...strategies.map((strategy) => `\`${strategy}\``)],
    ...rows.map(([title, phase, name]) => [
      title,
      ...strategies.map((strategy) => figureText(figureIn(summaries, { strategy, nodes, phase }, name))),
    ]),
  ];
}
