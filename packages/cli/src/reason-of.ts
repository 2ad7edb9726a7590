/** Why nobody could be reached. Where every address of a name failed, only the parts of the error say anything. */
export function reasonOf(error: Error): string {
  const parts = error instanceof AggregateError ? (error.errors as readonly Error[]) : [error];
  return parts.map(({ message }) => message).join(', ');
}
