/**
 * Users move in the order of their hashes, so that a number says how far a node has come: a user's turn is the first byte
 * of its hash.
 */
export function turnOf(hash: number): number {
  return hash >>> 24;
}
