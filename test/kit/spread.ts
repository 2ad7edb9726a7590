export function percentile(values: readonly number[], percent: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil((sorted.length * percent) / 100) - 1)] ?? 0;
}

/** Of times in ms. */
export function spreadOf(values: readonly number[]): string {
  const at = (percent: number): string => `${Math.round(percentile(values, percent))} ms`;
  return `median ${at(50)}, p99 ${at(99)}, longest ${at(100)}`;
}
