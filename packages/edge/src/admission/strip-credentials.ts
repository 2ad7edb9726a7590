import type { IncomingHttpHeaders } from 'node:http';
import { splitTarget } from '../http/request-path.js';
import { bearerProtocol, tokenParameter } from './find-token.js';

/**
 * The target of a request without the parameter `token`, for a backend; the rest stays as the client wrote it, byte
 * for byte.
 */
export function withoutToken(target: string): string {
  const { path, query } = splitTarget(target);
  if (path.length === target.length) return target;
  const pairs = query.split('&');
  const kept = pairs.filter((pair) => nameOf(pair) !== tokenParameter);
  if (kept.length === pairs.length) return target;
  return kept.length === 0 ? path : `${path}?${kept.join('&')}`;
}

/**
 * The headers of a request without what proves to the edge who the client is: `bearer.…` among the subprotocols, a
 * bearer's `Authorization`, and the cookie with the token. The client's object is left as it is.
 */
export function withoutCredentials(
  headers: IncomingHttpHeaders,
  cookie: string | undefined,
): IncomingHttpHeaders {
  const kept = { ...headers };
  keepParts(kept, 'sec-websocket-protocol', ',', (name) => !name.startsWith(bearerProtocol));
  if (cookie !== undefined) keepParts(kept, 'cookie', ';', (pair) => !pair.startsWith(`${cookie}=`));
  if (/^bearer(\s|$)/i.test(kept.authorization?.trim() ?? '')) delete kept.authorization;
  return kept;
}

function keepParts(
  headers: IncomingHttpHeaders,
  name: 'sec-websocket-protocol' | 'cookie',
  separator: string,
  wanted: (part: string) => boolean,
): void {
  const value = headers[name];
  if (value === undefined) return;
  const parts = value.split(separator).map((part) => part.trim());
  const kept = parts.filter(wanted);
  if (kept.length === parts.length) return;
  if (kept.length === 0) delete headers[name];
  else headers[name] = kept.join(`${separator} `);
}

/** A backend decodes names: `%74oken` is `token` to it. */
function nameOf(pair: string): string {
  const name = pair.split('=', 1)[0]!;
  try {
    return decodeURIComponent(name);
  } catch {
    return name;
  }
}
