import type { Contender } from '../result.js';

/**
 * Payload copies between processes for one message, edges and receipts not: from the sender to the owner; to the queue
 * and to the user's node; to the queue and to every node.
 */
export function copiesOf(strategy: Contender, nodes: number): number {
  if (strategy === 'ring') return 1;
  return strategy === 'registry' ? 2 : nodes + 1;
}

/** Copies that each node takes in for one message, on average. */
export function copiesIntoNode(strategy: Contender, nodes: number): number {
  return isBroadcast(strategy) ? 1 : 1 / nodes;
}

/** Every node takes every message, so that a cost may grow with the nodes. */
export function isBroadcast(strategy: Contender): boolean {
  return strategy === 'broadcast' || strategy === 'broadcast-unbatched';
}
