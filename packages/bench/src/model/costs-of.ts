import { type Comparison, type Contender, type CpuMicros, contenders, type Run } from '../result.js';
import { copiesOf, isBroadcast } from './copies.js';
import { type CostLine, type Costs, costAt, measuredCosts, type StrategyCosts } from './costs.js';
import { fitLine, type Measured, meanOf } from './fit-line.js';

/**
 * Costs from the saturation runs of a comparison, or the steady ones when there are no others. What depends on the nodes (the queue's and the nodes' part
 * of a broadcast) is fitted by least squares over the node counts, the rest is the mean of all runs. What was not
 * measured is taken from `measuredCosts`, and a note says so.
 */
export function costsOf(comparison: Comparison): Costs {
  const { conditions, runs } = comparison;
  const notes: string[] = [];
  // what many machines take is a matter of full ones
  const phase = runs.some((run) => run.phase === 'saturation') ? 'saturation' : 'steady';
  const of = (strategy: Contender): readonly Run[] =>
    runs.filter((run) => run.strategy === strategy && run.phase === phase);
  const derived = contenders.map((strategy) => {
    const own = of(strategy);
    return [strategy, strategyCosts(strategy, own, conditions.payloadBytes, notes)] as const;
  });
  return {
    source:
      `Costs are measured ${phase === 'saturation' ? 'when saturated' : 'at a fixed rate'}: ${conditions.date}, ` +
      `${conditions.cores} cores of ${conditions.cpu}.`,
    strategies: Object.fromEntries(derived) as Record<Contender, StrategyCosts>,
    renewalMicros: measuredCosts.renewalMicros,
    notes: [
      ...notes,
      `A renewal is taken to cost ${measuredCosts.renewalMicros} µs of Redis, as built in: no phase measures it.`,
    ],
  };
}

type Part = Exclude<keyof CpuMicros, 'total'>;

function strategyCosts(
  strategy: Contender,
  runs: readonly Run[],
  payloadBytes: number,
  notes: string[],
): StrategyCosts {
  const usual = measuredCosts.strategies[strategy];
  const missing: string[] = [];
  const part = (name: Part): Measured =>
    runs.flatMap(({ nodes, cpuMicrosPerDelivery: cpu }) => {
      const micros = cpu?.[name];
      return micros === undefined ? [] : [[nodes, micros] as const];
    });
  const constant = (name: Part, otherwise: number): number => {
    const mean = meanOf(part(name).map(([, micros]) => micros));
    if (mean === undefined) missing.push(name);
    return mean ?? otherwise;
  };
  const line = (name: Part, otherwise: CostLine): CostLine => {
    const measured = part(name);
    const mean = meanOf(measured.map(([, micros]) => micros));
    if (mean === undefined) missing.push(name);
    if (mean === undefined) return otherwise;
    if (!isBroadcast(strategy)) return { fixed: mean, perNode: 0 };
    const fitted = fitLine(measured);
    if (fitted === undefined) notes.push(oneCount(strategy, name, measured[0]![0]));
    return fitted ?? scaled(otherwise, measured);
  };
  const costs: StrategyCosts = {
    sender: constant('sender', usual.sender),
    queue: strategy === 'ring' ? usual.queue : line('queue', usual.queue),
    nodes: line('nodes', usual.nodes),
    edges: constant('edges', usual.edges),
    overheadBytes: overheadOf(strategy, runs, payloadBytes) ?? usual.overheadBytes,
  };
  if (missing.length > 0) notes.push(`${strategy}: not measured, so as built in: ${missing.join(', ')}.`);
  return costs;
}

/** The line's built-in shape, as high as what was measured at the one node count. */
function scaled(usual: CostLine, measured: Measured): CostLine {
  const nodes = measured[0]![0];
  const factor = meanOf(measured.map(([, micros]) => micros))! / costAt(usual, nodes);
  return { fixed: usual.fixed * factor, perNode: usual.perNode * factor };
}

function overheadOf(strategy: Contender, runs: readonly Run[], payloadBytes: number): number | undefined {
  return meanOf(
    runs.flatMap(({ nodes, delivered, bytesBetweenProcesses: bytes }) => {
      if (bytes === undefined || delivered === 0) return [];
      return [Math.max(0, bytes / delivered / copiesOf(strategy, nodes) - payloadBytes)];
    }),
  );
}

function oneCount(strategy: Contender, name: Part, nodes: number): string {
  return (
    `${strategy}: measured with ${nodes} nodes only, so how its ${name} cost grows with the nodes is as built in; ` +
    'run with several node counts.'
  );
}
