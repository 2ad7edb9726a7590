export interface BackoffOptions {
  /** Longest wait after the first failure, in ms. */
  readonly firstMs: number;
  /** No wait is longer, in ms. */
  readonly longestMs: number;
}

/**
 * The wait before try `failures + 1`, in ms: full jitter, anywhere between 0 and the doubling bound, so that
 * processes that failed together do not come back together.
 */
export function backoffMs(
  failures: number,
  options: BackoffOptions,
  random: () => number = Math.random,
): number {
  const bound = Math.min(options.longestMs, options.firstMs * 2 ** Math.min(Math.max(0, failures - 1), 30));
  return random() * bound;
}
