/** What repeated measurements of one figure looked like. */
export interface Spread {
  readonly min: number;
  readonly median: number;
  readonly max: number;
}

/** @param values at least one. When one is NaN, so are all three: it has no place in an order. */
export function spread(values: readonly number[]): Spread {
  if (values.some(Number.isNaN)) return { min: Number.NaN, median: Number.NaN, max: Number.NaN };
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  const median = (sorted[Math.ceil(middle) - 1]! + sorted[Math.floor(middle)]!) / 2;
  return { min: sorted[0]!, median, max: sorted[sorted.length - 1]! };
}
