import { type Contender, contenders, type Phase, phases, type Run } from '../result.js';
import { type Figure, figureOf } from './figure.js';
import { type Reading, reading, readings } from './reading.js';

/** The rounds of one contender with so many nodes in one phase, as one. */
export interface PhaseSummary {
  readonly strategy: Contender;
  readonly nodes: number;
  readonly phase: Phase;
  /** At least 1. */
  readonly rounds: number;
  /** What no round measured is missing. */
  readonly figures: Readonly<Partial<Record<Reading, Figure>>>;
}

/** By node count, then phase, then contender, in the order of reports. */
export function summarize(runs: readonly Run[]): readonly PhaseSummary[] {
  return nodeCountsOf(runs).flatMap((nodes) =>
    phases.flatMap((phase) =>
      contenders.flatMap((strategy) => {
        const rounds = runs.filter(
          (run) => run.strategy === strategy && run.nodes === nodes && run.phase === phase,
        );
        if (rounds.length === 0) return [];
        return [{ strategy, nodes, phase, rounds: rounds.length, figures: figuresOf(rounds) }];
      }),
    ),
  );
}

/** One figure of a summary; `undefined` when it was not measured. */
export function figureIn(
  summaries: readonly PhaseSummary[],
  at: Pick<PhaseSummary, 'strategy' | 'nodes' | 'phase'>,
  name: Reading,
): Figure | undefined {
  const found = summaries.find(
    ({ strategy, nodes, phase }) => strategy === at.strategy && nodes === at.nodes && phase === at.phase,
  );
  return found?.figures[name];
}

/** The node counts that ran, from the least. */
export function nodeCountsOf(runs: readonly Pick<Run, 'nodes'>[]): readonly number[] {
  return [...new Set(runs.map(({ nodes }) => nodes))].sort((a, b) => a - b);
}

/** The contenders that ran, in the order of reports. */
export function contendersOf(runs: readonly Pick<Run, 'strategy'>[]): readonly Contender[] {
  return contenders.filter((contender) => runs.some(({ strategy }) => strategy === contender));
}

function figuresOf(rounds: readonly Run[]): Readonly<Partial<Record<Reading, Figure>>> {
  const figures: Partial<Record<Reading, Figure>> = {};
  for (const name of readings) {
    const figure = figureOf(rounds.map(reading[name]));
    if (figure !== undefined) figures[name] = figure;
  }
  return figures;
}
