import type { Contender } from '../result.js';
import type { Costs } from './costs.js';
import type { Demand } from './demand.js';

/** JSON-able: what `pinwheel bench model --json` prints. */
export interface ModelResult {
  readonly demand: Demand;
  readonly costs: Costs;
  /** In the order of reports. */
  readonly strategies: readonly StrategyModel[];
  /** Sentences; what the figures rest on. */
  readonly assumptions: readonly string[];
}

export interface StrategyModel {
  readonly strategy: Contender;
  /** Payload copies between processes, as the runs count them. */
  readonly copiesPerMessage: number;
  readonly messagesBetweenProcessesPerSecond: number;
  readonly bytesBetweenProcessesPerSecond: number;
  readonly bytesIntoEachNodePerSecond: number;
  /** The registry alone: where a user is, asked once a message. */
  readonly registryReadsPerSecond?: number;
  /** The registry alone: leases renewed. */
  readonly registryWritesPerSecond?: number;
  /** How many cores are busy, of all processes of a kind. */
  readonly cores: CoresByKind;
  /** Machines that have so many cores. */
  readonly machines: number;
  /** Connections between edges and nodes; 0 without edges. */
  readonly links: number;
  /** Connections of senders and nodes to the queue; 0 without one. */
  readonly queueConnections: number;
  /** Routes in Redis; 0 where there are none. */
  readonly routeMemoryBytes: number;
  /** Where the most of what there is gets used comes first. */
  readonly limits: readonly Limit[];
  /** What is hit first as the load grows. */
  readonly firstLimit: Limit;
}

export interface CoresByKind {
  readonly sender: number;
  readonly queue: number;
  readonly nodes: number;
  readonly edges: number;
  readonly total: number;
}

export interface Limit {
  readonly name: LimitName;
  /** What is asked as a share of what there is: above 1, it does not work. */
  readonly used: number;
  /** Both in figures: "one Redis (1 core) is full at 180,000 messages/s; this asks 2,000,000". */
  readonly text: string;
}

export type LimitName =
  | 'queue-cpu'
  | 'queue-network'
  | 'queue-connections'
  | 'node-cpu'
  | 'node-network'
  | 'node-connections'
  | 'edge-cpu'
  | 'edge-connections';
