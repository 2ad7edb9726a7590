import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { type Signer, withProof } from '@pinwheel/trust';
import type { ResolvedAuth } from '../admission/admission-options.js';
import { withoutCredentials, withoutToken } from '../admission/strip-credentials.js';
import { type Caller, forwardHeaders } from './forward-headers.js';
import type { Target } from './router.js';

/** Of the hop to a backend, beside what is passed on. */
export const upgradeHop: IncomingHttpHeaders = { connection: 'Upgrade', upgrade: 'websocket' };
const chunkedHop: IncomingHttpHeaders = { 'transfer-encoding': 'chunked' };

/** The same for a plain request, whose body goes on as it comes. */
export function requestHop({ headers }: IncomingMessage): IncomingHttpHeaders {
  return headers['transfer-encoding'] === undefined ? {} : chunkedHop;
}

/**
 * The headers that a backend gets, for each try. What proves to the edge who the client is is taken out, also of the
 * request's target.
 *
 * @param more of this hop.
 * @param signer proves to nodes which edge asks; foreign backends could not check it. None for plain requests: nodes take
 *   none there, and a proof of a method and target that a client chose would be good at another of their ports.
 */
export function backendHeaders(
  request: IncomingMessage,
  caller: Omit<Caller, 'fingerprint'>,
  more: IncomingHttpHeaders,
  auth: ResolvedAuth,
  signer: Signer | undefined,
): (target: Target) => IncomingHttpHeaders {
  let incoming = request.headers;
  if (auth.kind !== 'none') {
    request.url = withoutToken(request.url ?? '/');
    incoming = withoutCredentials(incoming, auth.kind === 'jwt' ? auth.cookie : undefined);
  }
  return ({ fingerprint, member }) => {
    const outgoing = { ...forwardHeaders(incoming, { ...caller, fingerprint }), ...more };
    if (member.kind !== 'node') return outgoing;
    const call = { method: request.method ?? 'GET', target: request.url ?? '/', to: member.id };
    return withProof(signer, call, outgoing);
  };
}
