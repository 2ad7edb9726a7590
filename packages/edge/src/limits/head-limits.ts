import type { ServerOptions } from 'node:http';
import type { ResolvedLimits } from './limit-options.js';

/** Those that came together are found together: the longer between two looks, the longer that takes. */
const checkMs = 100;

/** Has node:http end the connections whose requests have no end of their head in time, or are too large. */
export function headLimits({ headTimeoutMs, maxHeadBytes }: ResolvedLimits): ServerOptions {
  return {
    maxHeaderSize: maxHeadBytes,
    headersTimeout: headTimeoutMs,
    connectionsCheckingInterval: checkMs,
  };
}
