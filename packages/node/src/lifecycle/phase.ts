/**
 * How far a node is. `replaced`: another process has entered itself under the node's id, and this one must not act
 * for it any more.
 */
export type Phase = 'starting' | 'serving' | 'draining' | 'replaced' | 'closed';

export function isLeaving(phase: Phase): boolean {
  return phase === 'draining' || phase === 'replaced' || phase === 'closed';
}
