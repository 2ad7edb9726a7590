import { ConnectionLimits, type LimitCounters, limitLog, MemoryWatch } from '@pinwheel/server';
import type { CheckedNodeOptions } from './node-options.js';

/** The limits of a node at work, for the clients whose sockets end here. */
export interface NodeLimits {
  readonly places: ConnectionLimits;
  readonly memory: MemoryWatch;
}

const noBound = { messagesPerSecond: 0, bytesPerSecond: 0 };

export function nodeLimits(node: CheckedNodeOptions, counters: LimitCounters): NodeLimits {
  const { maxRssBytes, maxConnections, maxConnectionsPerUser, messagesPerSecond, bytesPerSecond, log } = node;
  const memory = new MemoryWatch({ maxRssBytes, log });
  const bounds = {
    maxConnections,
    maxConnectionsPerUser,
    // most come through edges: all from a few addresses, and each when its user moves
    maxConnectionsPerAddress: 0,
    connectsPerSecond: 0,
    perConnection: { messagesPerSecond, bytesPerSecond },
    perUser: noBound,
  };
  return { memory, places: new ConnectionLimits(bounds, memory, counters, limitLog(log)) };
}
