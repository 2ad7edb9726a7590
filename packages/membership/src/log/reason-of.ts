const inWords: Readonly<Record<string, string>> = {
  ENOENT: 'no such file',
  EACCES: 'permission denied',
  EISDIR: 'it is a folder',
};

/** Why something failed, for the end of a message: no name of a class, no system call that repeats the path. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // `fetch` itself says no more than that it did
  if (error.message === 'fetch failed' && error.cause instanceof Error) return reasonOf(error.cause);
  const { code = '' } = error as { code?: string };
  return inWords[code] ?? (error.message || code || error.name);
}

/** Whether a file could not be read at all, rather than not be understood. */
export function isUnread(error: unknown): boolean {
  return error instanceof Error && 'syscall' in error;
}
