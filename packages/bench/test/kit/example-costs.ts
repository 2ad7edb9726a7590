import type { Costs } from '../../src/model/costs.js';

const none = { fixed: 0, perNode: 0 };

/** Round figures: what the model makes of them can be worked out by hand. */
export const exampleCosts: Costs = {
  source: 'Costs of an example.',
  strategies: {
    ring: { sender: 1.2, queue: none, nodes: { fixed: 1.6, perNode: 0 }, edges: 1.5, overheadBytes: 60 },
    registry: {
      sender: 2.5,
      queue: { fixed: 4, perNode: 0 },
      nodes: { fixed: 1.8, perNode: 0 },
      edges: 1.5,
      overheadBytes: 70,
    },
    broadcast: {
      sender: 1,
      queue: { fixed: 0.5, perNode: 0.25 },
      nodes: { fixed: 1.6, perNode: 0.35 },
      edges: 1.5,
      overheadBytes: 66,
    },
    'broadcast-unbatched': {
      sender: 11,
      queue: { fixed: 5, perNode: 4.5 },
      nodes: { fixed: 0, perNode: 6 },
      edges: 1.5,
      overheadBytes: 80,
    },
  },
  renewalMicros: 1,
  notes: [],
};
