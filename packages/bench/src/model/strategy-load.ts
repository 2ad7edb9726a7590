import type { Contender } from '../result.js';
import { copiesIntoNode, copiesOf } from './copies.js';
import { type Costs, costAt } from './costs.js';
import type { Demand } from './demand.js';

/** What a demand comes to by one strategy, before it is held against limits. */
export interface StrategyLoad {
  readonly strategy: Contender;
  readonly copies: number;
  /** Of one copy, in bytes. */
  readonly copyBytes: number;
  readonly bytesIntoNode: number;
  /** Copies that leave the queue, in bytes per second. */
  readonly bytesFromQueue: number;
  /** CPU of all processes of a kind for one message, in µs. */
  readonly micros: {
    readonly sender: number;
    readonly queue: number;
    readonly nodes: number;
    readonly edges: number;
  };
  /** At each node for each message, however many nodes there are, in µs. */
  readonly microsAtEachNode: number;
  readonly renewalsPerSecond: number;
  /** Redis' cores that renewals fill, whatever the messages. */
  readonly renewalCores: number;
  readonly links: number;
  readonly linksOfEdge: number;
  readonly linksOfNode: number;
  readonly queueConnections: number;
}

export function loadOf(strategy: Contender, demand: Demand, costs: Costs): StrategyLoad {
  const { nodes, edges, messagesPerSecond, payloadBytes } = demand;
  const own = costs.strategies[strategy];
  const copies = copiesOf(strategy, nodes);
  const copyBytes = payloadBytes + own.overheadBytes;
  const isRing = strategy === 'ring';
  const renewalsPerSecond = strategy === 'registry' ? demand.users / (demand.leaseSeconds / 3) : 0;
  const senders = Math.max(1, Math.ceil((messagesPerSecond * own.sender) / 1e6));
  return {
    strategy,
    copies,
    copyBytes,
    bytesIntoNode: messagesPerSecond * copiesIntoNode(strategy, nodes) * copyBytes,
    bytesFromQueue: isRing ? 0 : messagesPerSecond * (copies - 1) * copyBytes,
    micros: {
      sender: own.sender,
      queue: isRing ? 0 : costAt(own.queue, nodes),
      nodes: costAt(own.nodes, nodes),
      edges: edges === 0 ? 0 : own.edges,
    },
    microsAtEachNode: own.nodes.perNode,
    renewalsPerSecond,
    renewalCores: (renewalsPerSecond * costs.renewalMicros) / 1e6,
    ...linksOf(isRing, nodes, edges),
    queueConnections: isRing ? 0 : senders + nodes,
  };
}

/** By the ring, a user's node is given, so every edge needs every node. Otherwise any node will do for any edge. */
function linksOf(isRing: boolean, nodes: number, edges: number) {
  if (edges === 0) return { links: 0, linksOfEdge: 0, linksOfNode: 0 };
  if (isRing) return { links: edges * nodes, linksOfEdge: nodes, linksOfNode: edges };
  return {
    links: Math.max(edges, nodes),
    linksOfEdge: Math.ceil(nodes / edges),
    linksOfNode: Math.ceil(edges / nodes),
  };
}
