export interface UntilOptions {
  /** In ms; generous, because it only counts when a test fails. Default 15000. */
  readonly deadlineMs?: number;
  /** Pause between two looks, in ms. Default 10. */
  readonly everyMs?: number;
}

/**
 * Waits until `look` gives something other than `undefined`, `null` or `false`, and resolves with it. What it throws
 * counts as "not yet".
 *
 * @param what what is waited for, for the error message: `node n1 is in the ring`.
 * @throws Error past the deadline, with what was seen last.
 */
export async function until<T>(
  what: string,
  look: () => T | Promise<T>,
  { deadlineMs = 15_000, everyMs = 10 }: UntilOptions = {},
): Promise<Exclude<T, undefined | null | false>> {
  const deadline = performance.now() + deadlineMs;
  for (;;) {
    let last: unknown;
    try {
      const seen = await look();
      if (seen !== undefined && seen !== null && seen !== false) {
        return seen as Exclude<T, undefined | null | false>;
      }
      last = seen;
    } catch (error) {
      last = error;
    }
    if (performance.now() >= deadline) {
      const shown = last instanceof Error ? last.message : JSON.stringify(last);
      throw new Error(`not within ${deadlineMs} ms: ${what}; last seen: ${shown}`);
    }
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
}
