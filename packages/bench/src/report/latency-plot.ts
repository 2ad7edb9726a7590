import * as Plot from '@observablehq/plot';
import type { Run } from '../result.js';
import { contenderStyle } from './contender-style.js';
import { drawPlot, type PlotName } from './draw-plot.js';
import { logTicks, tickText } from './log-ticks.js';
import { contendersOf } from './summary.js';

/** Beyond one in a million the axis would be longer than the figures are sure. */
const rarest = 1_000_001;

interface Point {
  /** 1 of so many messages takes longer. */
  readonly oneOf: number;
  readonly ms: number;
}

/**
 * Latency curves at the fixed rate: the share of messages, stretched towards 100 %, against ms. The round in the middle
 * is thick, the others are thin, so that their spread is seen.
 *
 * @param range least and most of the vertical axis in ms, above 0; see `latencyRange`.
 */
export function latencyPlot(name: PlotName, runs: readonly Run[], range: readonly [number, number]): string {
  const furthest = runs.flatMap(pointsOf).reduce((so, { oneOf }) => Math.max(so, oneOf), 10);
  // 1 - 0.999999 is not quite a millionth
  const powers = Array.from({ length: Math.floor(Math.log10(furthest) + 1e-6) }, (_, i) => 10 ** (i + 1));
  return drawPlot(name, {
    width: 460,
    height: 320,
    marginLeft: 48,
    marginRight: 28,
    marginBottom: 44,
    x: {
      type: 'log',
      domain: [1, furthest],
      label: 'share of messages',
      ticks: [2, ...powers],
      tickFormat: shareText,
    },
    y: {
      type: 'log',
      domain: [...range],
      label: 'ms at most',
      grid: true,
      ticks: [...logTicks(range)],
      tickFormat: tickText,
    },
    marks: contendersOf(runs).flatMap((strategy) => {
      const { color, dash } = contenderStyle[strategy];
      const own = runs
        .filter((run) => run.strategy === strategy)
        .sort((a, b) => (a.latencyMs?.p99 ?? 0) - (b.latencyMs?.p99 ?? 0));
      const middle = own[Math.floor((own.length - 1) / 2)];
      return own.map((run) => {
        const thickness =
          run === middle
            ? { strokeWidth: 2, strokeDasharray: dash }
            : { strokeWidth: 1, strokeOpacity: 0.45 };
        return Plot.line(pointsOf(run), { x: 'oneOf', y: 'ms', stroke: color, ...thickness });
      });
    }),
  });
}

/** The least and the most that the curves of these runs show, with a little room. */
export function latencyRange(runs: readonly Run[]): readonly [number, number] {
  let [least, most] = [Number.POSITIVE_INFINITY, 0];
  for (const { ms } of runs.flatMap(pointsOf)) {
    least = Math.min(least, ms);
    most = Math.max(most, ms);
  }
  return most === 0 ? [0.1, 1] : [least / 1.15, most * 1.15];
}

/** The end of the curve, a share of 1, has no place on such an axis; the tables have it as the maximum. */
function pointsOf({ latencyCurve = [] }: Run): readonly Point[] {
  return latencyCurve
    .map(([share, ms]) => ({ oneOf: 1 / (1 - share), ms }))
    .filter(({ oneOf, ms }) => oneOf <= rarest && ms > 0);
}

function shareText(oneOf: number): string {
  return `${Number((100 - 100 / oneOf).toPrecision(8))}%`;
}
