import * as Plot from '@observablehq/plot';
import { type Contender, contenders, type Run } from '../result.js';
import { contenderStyle } from './contender-style.js';
import { drawPlot, type PlotName } from './draw-plot.js';
import { tickText } from './log-ticks.js';

interface Second {
  readonly strategy: Contender;
  readonly round: number;
  readonly second: number;
  readonly sent: number;
  readonly delivered: number;
}

const rowHeight = 84;

/**
 * Messages sent (grey) and delivered per second around a change: a row per contender, a line per round.
 *
 * @param most messages per second of all the plots that are to be compared.
 */
export function changePlot(name: PlotName, runs: readonly Run[], most: number): string {
  const seconds = runs.flatMap(({ strategy, round, timeline = [] }) =>
    timeline.map((one): Second => ({ strategy, round, ...one })),
  );
  const shown = contenders.filter((contender) => seconds.some(({ strategy }) => strategy === contender));
  const rounds = shown.flatMap((strategy) => {
    const { color } = contenderStyle[strategy];
    const own = seconds.filter((second) => second.strategy === strategy);
    return [
      Plot.line(own, {
        x: 'second',
        y: 'sent',
        z: 'round',
        fy: 'strategy',
        stroke: 'var(--quiet)',
        curve: 'step-after',
      }),
      Plot.line(own, {
        x: 'second',
        y: 'delivered',
        z: 'round',
        fy: 'strategy',
        stroke: color,
        strokeWidth: 1.5,
        curve: 'step-after',
      }),
    ];
  });
  const labels = shown.map((strategy) => ({ strategy }));
  return drawPlot(name, {
    width: 340,
    height: 62 + rowHeight * shown.length,
    marginLeft: 44,
    marginTop: 22,
    marginBottom: 40,
    x: { label: 'seconds after the change', ticks: 6 },
    y: { label: 'per second', domain: [0, most * 1.35], ticks: 3, tickFormat: tickText, grid: true },
    fy: { domain: [...shown], axis: null, padding: 0.12 },
    marks: [
      Plot.ruleY([0], { stroke: 'var(--quiet)' }),
      Plot.ruleX([0], { stroke: 'currentColor', strokeDasharray: '2 2' }),
      ...rounds,
      Plot.text(labels, {
        fy: 'strategy',
        text: 'strategy',
        frameAnchor: 'top-left',
        dx: 4,
        dy: 3,
        fontWeight: 600,
        fill: 'currentColor',
        stroke: 'var(--page)',
        strokeWidth: 4,
      }),
    ],
  });
}
