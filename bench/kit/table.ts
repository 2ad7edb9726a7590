import type { HeldBar } from './bar.js';
import type { Spread } from './spread.js';

export interface Row extends Spread {
  readonly what: string;
  readonly values: readonly number[];
}

/** What a bench has found. */
export interface Result {
  readonly question: string;
  readonly doesNotMean: string;
  readonly conditions: Readonly<Record<string, string | number | undefined>>;
  readonly figures: readonly Row[];
  readonly bars: readonly HeldBar[];
}

export function table(result: Result): string {
  const width = Math.max(...[...result.figures, ...result.bars].map(({ what }) => what.length));
  const line = ({ what, min, median, max, values }: Row): string =>
    `${what.padEnd(width)} ${[min, median, max].map((n) => short(n).padStart(10)).join('')}   ${values.map(short).join(' ')}`;
  return [
    result.question,
    Object.entries(result.conditions)
      .map(([name, value]) => `${name} ${value}`)
      .join(', '),
    '',
    `${' '.repeat(width)} ${['min', 'median', 'max'].map((head) => head.padStart(10)).join('')}   rounds`,
    ...result.figures.map(line),
    ...result.bars.map((bar) => `${line(bar)}   ${verdict(bar)}`),
    '',
    `What this does not mean: ${result.doesNotMean}`,
    '',
  ].join('\n');
}

/** As in `worst 1000, at most 0: MISSED`. */
function verdict({ atMost, atLeast, everyRound, judged, measured, met }: HeldBar): string {
  const bound = atMost === undefined ? `at least ${atLeast}` : `at most ${atMost}`;
  if (!measured) return `${bound}: MISSED (not measured)`;
  return `${everyRound ? 'worst' : 'median'} ${short(judged)}, ${bound}: ${met ? 'met' : 'MISSED'}`;
}

function short(value: number): string {
  return Math.abs(value) >= 100 ? value.toFixed(0) : value.toPrecision(3);
}
