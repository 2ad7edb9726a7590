const stackLines = 5;

/** Where it was thrown, as far as a log has room for it. */
export function firstLinesOf(thrown: unknown): { readonly stack?: string } {
  if (!(thrown instanceof Error) || typeof thrown.stack !== 'string') return {};
  return { stack: thrown.stack.split('\n', stackLines).join('\n') };
}
