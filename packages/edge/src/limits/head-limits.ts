import type { ServerOptions } from 'node:http';

/** As with links, where uWebSockets.js keeps no more of a head that comes in parts. */
const maxHeaderSize = 16_384;
/** Those that came together are found together: the longer between two looks, the longer that takes. */
const checkMs = 100;

/** Has node:http end the connections whose requests have no end of their head in time, or are too large. */
export function headLimits(headTimeoutMs: number): ServerOptions {
  return {
    maxHeaderSize,
    headersTimeout: headTimeoutMs,
    connectionsCheckingInterval: checkMs,
  };
}
