import type { IncomingMessage } from 'node:http';
import { checkHead } from './check-head.js';
import { type Refusal, refusal } from './refusal.js';
import { connectionTokens } from './upgrade-request.js';

/** What says where a request ends and whom it is for: of the whole way, whatever a client calls it. */
const framing: ReadonlySet<string> = new Set(['content-length', 'transfer-encoding', 'host']);

/**
 * Why a plain request cannot be passed on safely; `undefined` when it can. Whatever proxy and backend could take for
 * different numbers of bytes is refused.
 */
export function checkPlainRequest(request: IncomingMessage): Refusal | undefined {
  const { headers, method = '' } = request;
  const wrongHead = checkHead(request);
  if (wrongHead !== undefined) return wrongHead;
  if (!(request.url ?? '').startsWith('/')) return bad('the request target must begin with /');
  if (headers.upgrade !== undefined) {
    return bad('upgrade is there, but connection does not contain upgrade');
  }
  const dropped = connectionTokens(headers);
  if (dropped.includes('upgrade')) return bad('connection contains upgrade, but upgrade is not there');
  const needed = dropped.find((name) => framing.has(name));
  // the backend would take the body for the next request, of whomever that one names
  if (needed !== undefined)
    return bad(`connection names ${needed}, without which the request is another one`);
  const coding = headers['transfer-encoding'];
  if (coding === undefined) return undefined;
  if (coding.toLowerCase() !== 'chunked' || headers['content-length'] !== undefined) {
    return bad('transfer-encoding must be chunked and come without content-length');
  }
  if (method === 'DELETE' || method === 'OPTIONS') {
    // node-http-proxy would send such a body without its framing
    return refusal(411, 'bad-request', `a ${method} request with a body must have a content-length`);
  }
  return undefined;
}

function bad(message: string): Refusal {
  return refusal(400, 'bad-request', message);
}
