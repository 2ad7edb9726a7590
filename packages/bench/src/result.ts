/** What is compared. `broadcast-unbatched` publishes every message by itself, as most people run it. */
export type Contender = (typeof contenders)[number];

/** In the order of reports. */
export const contenders = ['ring', 'registry', 'broadcast', 'broadcast-unbatched'] as const;

/**
 * `steady`: open loop at a fixed rate. `saturation`: as many as can be delivered. `join`, `drain`, `kill`: what a change
 * of the nodes does under the fixed rate.
 */
export type Phase = (typeof phases)[number];

/** Those in which the nodes change. */
const changes = ['join', 'drain', 'kill'] as const;
export type Change = (typeof changes)[number];

export const phases = ['steady', 'saturation', ...changes] as const;

export function isChange(phase: Phase): phase is Change {
  return (changes as readonly Phase[]).includes(phase);
}

/** CPU time per message delivered, in µs, by whose it is. A part that cannot be measured here is missing. */
export interface CpuMicros {
  readonly total: number;
  readonly sender: number;
  /** Missing where there is no queue. */
  readonly queue?: number;
  readonly nodes: number;
  /** Missing where clients connect to the nodes themselves. */
  readonly edges?: number;
}

/** From the time at which a message was to be sent to its arrival at the client, in ms. */
export interface LatencyMs {
  readonly p50: number;
  readonly p99: number;
  readonly p999: number;
  readonly max: number;
}

/** One phase of one contender with so many nodes in one round. What a phase does not measure is missing, never 0. */
export interface Run {
  readonly strategy: Contender;
  /** Nodes that its service began with. */
  readonly nodes: number;
  readonly phase: Phase;
  /** From 1. */
  readonly round: number;
  readonly sent: number;
  /** Messages that came to their client at least once, by id. */
  readonly delivered: number;
  /** Messages that were said to be delivered or published and never came. */
  readonly lost: number;
  /** Arrivals beyond the first. */
  readonly duplicated: number;
  /** Messages whose receipt says that they were not taken. */
  readonly refused: number;
  readonly deliveriesPerSecond: number;
  /** Changes: nodes before it; a phase before it may have added one or taken one away. */
  readonly nodesBefore?: number;
  /** Changes: users whose connection was cut or moved. */
  readonly disturbedUsers?: number;
  /** Changes: from the change until every message of a second came in time, in s. */
  readonly secondsToSteady?: number;
  /**
   * Payload copies that crossed a process boundary between sender and nodes, the queue included, edges and receipts
   * not; counted by the processes, over the whole phase.
   */
  readonly messagesBetweenProcesses?: number;
  /** The same in bytes, as encoded. */
  readonly bytesBetweenProcesses?: number;
  readonly cpuMicrosPerDelivery?: CpuMicros;
  readonly latencyMs?: LatencyMs;
  /** Steady: the whole distribution, as points of its curve: share of messages, 0–1, and latency in ms at most. */
  readonly latencyCurve?: readonly (readonly [share: number, ms: number])[];
  /** Changes: per second of the phase, from the change on; negative seconds are before it. */
  readonly timeline?: readonly TimelineSecond[];
  /** Resident memory at the end, in bytes, of all processes of a kind. */
  readonly memoryBytes?: { readonly sender: number; readonly queue?: number; readonly nodes: number };
  /** Share of one core that the load generator used, 0–1. Near 1, it was what limited the run. */
  readonly generatorBusy?: number;
}

export interface TimelineSecond {
  readonly second: number;
  readonly sent: number;
  readonly delivered: number;
  readonly p99Ms?: number;
}

/** What the figures depend on. */
export interface Conditions {
  /** ISO 8601. */
  readonly date: string;
  readonly pinwheel: string;
  readonly node: string;
  readonly platform: string;
  readonly cpu: string;
  readonly cores: number;
  readonly memoryBytes: number;
  /** For example `redis 7.0.15`; missing when there was none. */
  readonly queue?: string;
  readonly payloadBytes: number;
  readonly users: number;
  /** Messages per second of the fixed-rate phases. */
  readonly rate: number;
  readonly steadySeconds: number;
  readonly saturationSeconds: number;
  /** Messages without a receipt at any time when saturated. */
  readonly outstanding: number;
  readonly rounds: number;
  readonly edges: number;
  /** Messages that each node has had one at a time before anything was measured, on average; missing in older results. */
  readonly warmUp?: number;
  readonly strategies: readonly Contender[];
  readonly nodeCounts: readonly number[];
  /** What could not be run, and what to do about it. */
  readonly missing: readonly string[];
}

export interface Comparison {
  readonly conditions: Conditions;
  readonly runs: readonly Run[];
}
