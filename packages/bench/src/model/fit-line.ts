import type { CostLine } from './costs.js';

export type Measured = readonly (readonly [nodes: number, micros: number])[];

/**
 * The line through what was measured at several node counts, by least squares, with neither part below 0: a cost is not
 * negative, and noise must not become a discount at 500 nodes. `undefined` with fewer than two node counts.
 */
export function fitLine(measured: Measured): CostLine | undefined {
  const count = measured.length;
  if (new Set(measured.map(([nodes]) => nodes)).size < 2) return undefined;
  const meanX = sum(measured.map(([x]) => x)) / count;
  const meanY = sum(measured.map(([, y]) => y)) / count;
  const spread = sum(measured.map(([x]) => (x - meanX) ** 2));
  const perNode = sum(measured.map(([x, y]) => (x - meanX) * (y - meanY))) / spread;
  if (perNode <= 0) return { fixed: meanY, perNode: 0 };
  const fixed = meanY - perNode * meanX;
  if (fixed >= 0) return { fixed, perNode };
  return { fixed: 0, perNode: sum(measured.map(([x, y]) => x * y)) / sum(measured.map(([x]) => x * x)) };
}

/** `undefined` when there is none. */
export function meanOf(values: readonly number[]): number | undefined {
  return values.length === 0 ? undefined : sum(values) / values.length;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
