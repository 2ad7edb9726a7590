import type { Log } from '@pinwheel/membership';
import { ConnectionLimits, MemoryWatch } from '@pinwheel/server';
import type { EdgeLimitCounters } from './limit-counters.js';
import type { ResolvedLimits } from './limit-options.js';

/** The limits of an edge at work: its places, and the watch over its memory. */
export interface EdgeLimits {
  readonly places: ConnectionLimits;
  readonly memory: MemoryWatch;
}

export function edgeLimits(bounds: ResolvedLimits, counters: EdgeLimitCounters, log: Log): EdgeLimits {
  const memory = new MemoryWatch({
    maxRssBytes: bounds.maxRssBytes,
    crossed: (isOver, rssBytes) => {
      const facts = { rssBytes, maxRssBytes: bounds.maxRssBytes };
      if (isOver) log.warn(facts, 'memory is at its bound: no new clients are taken until there is less');
      else log.info(facts, 'memory is below its bound again: new clients are taken');
    },
  });
  return { memory, places: new ConnectionLimits(bounds, memory, counters) };
}
