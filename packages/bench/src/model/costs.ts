import type { Contender } from '../result.js';

/** CPU per message that depends on the number of nodes: `fixed + perNode × nodes`, in µs. */
export interface CostLine {
  readonly fixed: number;
  readonly perNode: number;
}

/** What one message costs by one strategy: CPU in µs, of all processes of a kind together. */
export interface StrategyCosts {
  readonly sender: number;
  readonly queue: CostLine;
  readonly nodes: CostLine;
  readonly edges: number;
  /** Bytes that each copy between processes has beyond its payload. */
  readonly overheadBytes: number;
}

export interface Costs {
  /** Where the figures come from, as one sentence. */
  readonly source: string;
  readonly strategies: Readonly<Record<Contender, StrategyCosts>>;
  /** Redis, for one renewal of one user's route, in µs. */
  readonly renewalMicros: number;
  /** What could not be derived, and what stands in its place. */
  readonly notes: readonly string[];
}

export function costAt({ fixed, perNode }: CostLine, nodes: number): number {
  return fixed + perNode * nodes;
}

const none: CostLine = { fixed: 0, perNode: 0 };

/**
 * Used when no comparison is given: those of docs/measured/comparison.json, saturated, of 2026-11-28, on 2 cores of
 * AMD EPYC. What an edge takes is not measured there. A renewal was measured alone, with 200,000 users.
 */
export const measuredCosts: Costs = {
  source:
    'Costs were measured by the authors when saturated, on 2 cores of AMD EPYC, 2026-11-28; --from takes your own.',
  strategies: {
    ring: {
      sender: 1.89,
      queue: none,
      nodes: { fixed: 1.53, perNode: 0 },
      edges: 1.5,
      overheadBytes: 33.9,
    },
    registry: {
      sender: 2.95,
      queue: { fixed: 0.946, perNode: 0 },
      nodes: { fixed: 3.04, perNode: 0 },
      edges: 1.5,
      overheadBytes: 33.6,
    },
    broadcast: {
      sender: 1.59,
      queue: { fixed: 0.0611, perNode: 0.0308 },
      nodes: { fixed: 3.05, perNode: 0.202 },
      edges: 1.5,
      overheadBytes: 33.7,
    },
    'broadcast-unbatched': {
      sender: 7.58,
      queue: { fixed: 0.402, perNode: 0.141 },
      nodes: { fixed: 5.48, perNode: 2 },
      edges: 1.5,
      overheadBytes: 41.9,
    },
  },
  renewalMicros: 3.5,
  notes: ['What an edge takes is not measured with the rest; it is taken to be 1.5 µs a message.'],
};
