import type { IncomingHttpHeaders } from 'node:http';
import { headers as names } from '@pinwheel/protocol';
import { isReserved } from '../http/reserved-headers.js';
import { connectionTokens } from '../http/upgrade-request.js';

/** Of one hop only (RFC 9110, section 7.6.1). `transfer-encoding` is set again by whoever writes the body. */
const hopByHop: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'proxy-authenticate',
  'proxy-authorization',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'http2-settings',
  'expect',
]);

/** Who asks, as the backend is told. */
export interface Caller {
  readonly user: string;
  readonly edge: string;
  readonly fingerprint: string;
  readonly remoteAddress: string | undefined;
}

/**
 * The headers that a backend gets: the client's, without those of the hop, without those that name a user or come from
 * Pinwheel in any spelling, and with the edge's own. The client's object is left as it is.
 */
export function forwardHeaders(incoming: IncomingHttpHeaders, caller: Caller): IncomingHttpHeaders {
  const dropped = connectionTokens(incoming);
  const outgoing: IncomingHttpHeaders = {};
  for (const name in incoming) {
    if (hopByHop.has(name) || dropped.includes(name) || isReserved(name)) continue;
    outgoing[name] = incoming[name];
  }
  const before = incoming['x-forwarded-for'];
  const remote = caller.remoteAddress ?? 'unknown';
  outgoing['x-forwarded-for'] =
    before === undefined || dropped.includes('x-forwarded-for') ? remote : `${String(before)}, ${remote}`;
  outgoing[names.user] = encodeURIComponent(caller.user);
  outgoing[names.edge] = caller.edge;
  outgoing[names.fingerprint] = caller.fingerprint;
  return outgoing;
}

/** The headers of a backend's answer without those of the hop. */
export function answerHeaders(incoming: IncomingHttpHeaders): Record<string, string | readonly string[]> {
  const dropped = connectionTokens(incoming);
  const outgoing: Record<string, string | readonly string[]> = {};
  for (const name in incoming) {
    const value = incoming[name];
    if (value === undefined || hopByHop.has(name) || dropped.includes(name)) continue;
    outgoing[name] = value;
  }
  return outgoing;
}
