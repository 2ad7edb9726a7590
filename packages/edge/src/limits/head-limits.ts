import type { ServerOptions } from 'node:http';

/** As with links, where uWebSockets.js keeps no more of a head that comes in parts. */
const maxHeaderSize = 16_384;
const leastCheckMs = 50;
const mostCheckMs = 1000;

/** Has node:http end the connections whose requests have no end of their head in time, or are too large. */
export function headLimits(headTimeoutMs: number): ServerOptions {
  return {
    maxHeaderSize,
    headersTimeout: headTimeoutMs,
    connectionsCheckingInterval: Math.min(mostCheckMs, Math.max(leastCheckMs, headTimeoutMs / 10)),
  };
}
