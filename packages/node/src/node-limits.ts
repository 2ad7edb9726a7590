import { ClientLimits, type LimitCounters } from '@pinwheel/server';
import type { CheckedNodeOptions } from './node-options.js';

const noBound = { messagesPerSecond: 0, bytesPerSecond: 0 };

/** The limits of a node for the clients whose sockets end here. */
export function nodeLimits(node: CheckedNodeOptions, counters: LimitCounters): ClientLimits {
  const { maxRssBytes, maxConnections, maxConnectionsPerUser, messagesPerSecond, bytesPerSecond, log } = node;
  const bounds = {
    maxConnections,
    maxConnectionsPerUser,
    // most come through edges: all from a few addresses, and each when its user moves
    maxConnectionsPerAddress: 0,
    connectsPerSecond: 0,
    perConnection: { messagesPerSecond, bytesPerSecond },
    perUser: noBound,
  };
  return new ClientLimits({ bounds, maxRssBytes, filesPerClient: 1, counters, log });
}
