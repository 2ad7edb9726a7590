import type { ServerOptions } from 'node:http';
import type { ResolvedLimits } from './limit-options.js';

/** Those that came together are found together: the longer between two looks, the longer that takes. */
const checkMs = 100;

/** Has node:http end the connections whose requests have no end of their head in time, or are too large. */
export function headLimits({ headTimeoutMs, maxHeadBytes }: ResolvedLimits): ServerOptions {
  return {
    maxHeaderSize: maxHeadBytes,
    headersTimeout: headTimeoutMs,
    // a body may take as long as it goes on: who passes it on gives up when nothing comes any more
    requestTimeout: 0,
    connectionsCheckingInterval: checkMs,
  };
}
