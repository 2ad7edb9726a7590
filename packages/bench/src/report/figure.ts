/** One figure over the rounds: the middle one, and how far the rounds lie apart. */
export interface Figure {
  readonly median: number;
  readonly least: number;
  readonly most: number;
  /** Rounds that measured it, at least 1. */
  readonly rounds: number;
}

/** `undefined` when no round measured it. With an even number of rounds the median is the mean of the middle two. */
export function figureOf(measured: readonly (number | undefined)[]): Figure | undefined {
  const values = measured.filter((value) => value !== undefined).sort((a, b) => a - b);
  if (values.length === 0) return undefined;
  const middle = (values.length - 1) / 2;
  // equal neighbours are themselves the median: their mean could be rounded out of the spread
  const [low, high] = [values[Math.floor(middle)]!, values[Math.ceil(middle)]!];
  const median = low === high ? low : low + (high - low) / 2;
  return { median, least: values[0]!, most: values.at(-1)!, rounds: values.length };
}
