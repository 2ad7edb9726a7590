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
 * Used when no comparison is given. Placeholders of 25 November 2026, not yet measured on any machine; they are to be
 * replaced by the figures of a run of `pinwheel bench`, with its machine and date named here.
 */
export const measuredCosts: Costs = {
  source: 'Costs are built in: placeholders of 2026-11-25, not measured; give --from with a comparison.',
  strategies: {
    ring: { sender: 1.2, queue: none, nodes: { fixed: 1.6, perNode: 0 }, edges: 1.5, overheadBytes: 33 },
    registry: {
      sender: 2.5,
      queue: { fixed: 4, perNode: 0 },
      nodes: { fixed: 1.8, perNode: 0 },
      edges: 1.5,
      overheadBytes: 33,
    },
    broadcast: {
      sender: 1,
      queue: { fixed: 0.5, perNode: 0.25 },
      nodes: { fixed: 1.6, perNode: 0.35 },
      edges: 1.5,
      overheadBytes: 33,
    },
    'broadcast-unbatched': {
      sender: 11,
      queue: { fixed: 5, perNode: 4.5 },
      nodes: { fixed: 0, perNode: 6 },
      edges: 1.5,
      overheadBytes: 41,
    },
  },
  renewalMicros: 1,
  notes: [],
};
