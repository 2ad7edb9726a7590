import type { Log } from '@pinwheel/membership';
import { ConnectionLimits, limitLog, MemoryWatch } from '@pinwheel/server';
import type { EdgeLimitCounters } from './limit-counters.js';
import type { ResolvedLimits } from './limit-options.js';

/** The limits of an edge at work: its places, and the watch over its memory. */
export interface EdgeLimits {
  readonly places: ConnectionLimits;
  readonly memory: MemoryWatch;
}

export function edgeLimits(bounds: ResolvedLimits, counters: EdgeLimitCounters, log: Log): EdgeLimits {
  const memory = new MemoryWatch({ maxRssBytes: bounds.maxRssBytes, log });
  return { memory, places: new ConnectionLimits(bounds, memory, counters, limitLog(log)) };
}
