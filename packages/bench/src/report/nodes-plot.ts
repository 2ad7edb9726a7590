import * as Plot from '@observablehq/plot';
import type { Comparison, Phase } from '../result.js';
import { contenderStyle } from './contender-style.js';
import { drawPlot } from './draw-plot.js';
import type { Figure } from './figure.js';
import { logTicks, tickText } from './log-ticks.js';
import type { Reading } from './reading.js';
import { contendersOf, figureIn, nodeCountsOf, type PhaseSummary } from './summary.js';

export interface NodesPlot {
  readonly id: string;
  readonly title: string;
  readonly phase: Phase;
  readonly name: Reading;
  /** With its unit. */
  readonly axis: string;
  /** Least and most of the vertical axis, which may be shared with other plots. */
  readonly range: readonly [number, number];
}

interface Point extends Figure {
  readonly nodes: number;
}

/** A figure over the number of nodes: a line per contender, the rounds' spread as thin rules, both axes by powers. */
export function nodesPlot({ runs }: Comparison, summaries: readonly PhaseSummary[], plot: NodesPlot): string {
  const { id, title, phase, name, axis, range } = plot;
  const counts = nodeCountsOf(runs);
  const marks = contendersOf(runs).flatMap((strategy) => {
    const { color, dash, symbol } = contenderStyle[strategy];
    const points = counts.flatMap((nodes): readonly Point[] => {
      const figure = figureIn(summaries, { strategy, nodes, phase }, name);
      return figure === undefined || figure.median <= 0 ? [] : [{ ...figure, nodes }];
    });
    return [
      Plot.ruleX(points, { x: 'nodes', y1: 'least', y2: 'most', stroke: color, strokeWidth: 1.5 }),
      Plot.line(points, { x: 'nodes', y: 'median', stroke: color, strokeWidth: 2, strokeDasharray: dash }),
      Plot.dot(points, { x: 'nodes', y: 'median', fill: color, symbol, r: 4 }),
    ];
  });
  return drawPlot(
    { id, title },
    {
      width: 460,
      height: 320,
      marginLeft: 48,
      marginBottom: 44,
      x: { type: 'log', domain: around(counts), ticks: [...counts], tickFormat: String, label: 'nodes' },
      y: {
        type: 'log',
        domain: [...range],
        label: axis,
        grid: true,
        ticks: [...logTicks(range)],
        tickFormat: tickText,
      },
      marks,
    },
  );
}

/** The least and the most of a figure in some phases, with a little room: plots that share it can be compared. */
export function rangeOf(
  summaries: readonly PhaseSummary[],
  at: readonly Phase[],
  name: Reading,
): readonly [number, number] | undefined {
  const figures = summaries.flatMap(({ phase, figures }) => {
    const figure = figures[name];
    return at.includes(phase) && figure !== undefined && figure.median > 0 ? [figure] : [];
  });
  if (figures.length === 0) return undefined;
  const medians = figures.map(({ median }) => median);
  const leasts = figures.map(({ least }) => least).filter((least) => least > 0);
  return [Math.min(...medians, ...leasts) / 1.2, Math.max(...figures.map(({ most }) => most)) * 1.2];
}

function around(counts: readonly number[]): [number, number] {
  return [(counts[0] ?? 1) / 1.1, (counts.at(-1) ?? 1) * 1.1];
}
