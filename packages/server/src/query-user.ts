import { decodeUserId, rawQueryValue } from '@pinwheel/protocol';
import type { HttpRequest } from './uws.js';

/**
 * The user of `?user=`; `undefined` when there is none.
 *
 * @throws PinwheelError `bad-user`.
 */
export function readQueryUser(request: HttpRequest): string | undefined {
  // the raw query: getQuery(name) would replace invalid bytes rather than refuse them
  const encoded = rawQueryValue(request.getQuery() ?? '', 'user');
  return encoded === undefined ? undefined : decodeUserId(encoded);
}
