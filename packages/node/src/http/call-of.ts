import type { HttpRequest } from '@pinwheel/server';
import { boundHeaders, type ProvenCall } from '@pinwheel/trust';

/** What a request's proof is bound to. Readable only before the handler first returns. */
export function callOf(request: HttpRequest, self: string): ProvenCall {
  const query = request.getQuery();
  const path = request.getUrl();
  return {
    method: request.getMethod().toUpperCase(),
    target: query === undefined || query === '' ? path : `${path}?${query}`,
    to: self,
    headers: boundHeaders((name) => request.getHeader(name)),
  };
}
