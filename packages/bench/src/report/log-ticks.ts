import { numberText } from './number-text.js';

/** 1, 2 and 5 of each power of ten between two numbers above 0; the powers alone where those are many. */
export function logTicks([least, most]: readonly [number, number]): readonly number[] {
  const first = Math.floor(Math.log10(least));
  const powers = Array.from({ length: Math.ceil(Math.log10(most)) - first + 1 }, (_, i) => 10 ** (first + i));
  const steps = powers.length > 6 ? [1] : [1, 2, 5];
  return powers
    .flatMap((power) => steps.map((step) => Number((step * power).toPrecision(6))))
    .filter((tick) => tick >= least && tick <= most);
}

/** A round number: `20k`, where a figure would be `20.0k`. */
export function tickText(value: number): string {
  return numberText(value)
    .replace(/(\.\d*?)0+(?=\D|$)/, '$1')
    .replace(/\.(?=\D|$)/, '');
}
