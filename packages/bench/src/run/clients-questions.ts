import type { LatencyMs } from '../result.js';

export interface ClientsProcessOptions {
  /** Where clients connect: at the nodes of this file, or at these edges. */
  readonly way: { readonly members: string } | { readonly ports: readonly number[] };
  /** Whether a node takes any user: whoever finds his own away goes to another one. */
  readonly isAnywhere: boolean;
  readonly payloadBytes: number;
}

export type ClientsQuestion =
  /**
   * Answered with how many are connected. `feedbackPort` is the sender's, which can be told how many messages have come.
   * Asked once.
   */
  | { readonly kind: 'connect'; readonly users: readonly string[]; readonly feedbackPort: number }
  /** Whether the sender is told from now on; answered with how many it has been told of. */
  | { readonly kind: 'feedback'; readonly isWanted: boolean }
  /** Answered with `ClientsUsage`. */
  | { readonly kind: 'usage' }
  /** Answered with a `Uint8Array`: how often each message came. */
  | { readonly kind: 'counts'; readonly from: number; readonly to: number }
  /** Answered with `Latencies`. */
  | ({ readonly kind: 'latencies' } & Schedule)
  /** Answered with a list of `ArrivalSecond`s. */
  | ({ readonly kind: 'timeline'; readonly slicesPerSecond: number } & Schedule);

/** Messages that were due at a fixed rate. */
export interface Schedule {
  readonly from: number;
  readonly to: number;
  /** When `from` was due. */
  readonly startMicros: number;
  readonly perSecond: number;
}

export interface ClientsUsage {
  readonly received: number;
  readonly connected: number;
  /** Users whose connection was ended by the other side so far, each once for each time. */
  readonly closed: readonly string[];
  readonly cpuMicros: number;
}

export interface Latencies {
  readonly latencyMs: LatencyMs;
  readonly curve: readonly (readonly [share: number, ms: number])[];
}

/** What became of the messages that were due in one slice of time. */
export interface ArrivalSlice {
  readonly due: number;
  readonly arrived: number;
  readonly p99Ms?: number;
}
