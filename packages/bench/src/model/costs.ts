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
      sender: 1.8,
      queue: none,
      nodes: { fixed: 1.54, perNode: 0 },
      edges: 1.5,
      overheadBytes: 33.5,
    },
    registry: {
      sender: 2.95,
      queue: { fixed: 0.969, perNode: 0 },
      nodes: { fixed: 3.33, perNode: 0 },
      edges: 1.5,
      overheadBytes: 32.9,
    },
    broadcast: {
      sender: 1.6,
      queue: { fixed: 0.0515, perNode: 0.0316 },
      nodes: { fixed: 2.31, perNode: 0.354 },
      edges: 1.5,
      overheadBytes: 33.1,
    },
    'broadcast-unbatched': {
      sender: 7.68,
      queue: { fixed: 0.382, perNode: 0.151 },
      nodes: { fixed: 4.96, perNode: 2.15 },
      edges: 1.5,
      overheadBytes: 41.8,
    },
  },
  renewalMicros: 3.5,
  notes: ['What an edge takes is not measured with the rest; it is taken to be 1.5 µs a message.'],
};
