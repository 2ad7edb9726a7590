const stackLines = 5;

/** Where it was thrown, as far as a log has room for it. */
export function firstLinesOf(thrown: unknown): { readonly stack?: string } {
  try {
    if (!(thrown instanceof Error) || typeof thrown.stack !== 'string') return {};
    return { stack: thrown.stack.split('\n', stackLines).join('\n') };
  } catch {
    // it is written when it is first read, by the application's own `Error.prepareStackTrace`, too
    return {};
  }
}
