import { maxTokenBytes } from '@pinwheel/protocol';
import type { AdmissionRequest } from './admission-request.js';

/** `missing`: in none of the four places. */
export type FoundToken =
  | { readonly kind: 'found'; readonly token: string; readonly place: TokenPlace }
  | { readonly kind: 'missing' }
  | { readonly kind: 'wrong'; readonly why: string };

/** Where a client puts its token. */
export type TokenPlace = 'subprotocol' | 'authorization' | 'cookie' | 'query';

/** Before a token among the subprotocols that a client offers: a browser can send it in no other header. */
export const bearerProtocol = 'bearer.';
/** The query parameter of a token. */
export const tokenParameter = 'token';

const bearer = /^bearer +(.*)$/i;
/** Three parts in base64url; looked at before anything is decoded. */
const compactJws = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/;

/**
 * The one token of a request: two would let a proxy and an edge believe different ones. What is wrong with it is said
 * without a character of it.
 *
 * @param cookie the name of the cookie that may hold it; `undefined` when none may.
 */
export function findToken(request: AdmissionRequest, cookie: string | undefined): FoundToken {
  const found: { token: string; place: TokenPlace }[] = [];
  const add = (place: TokenPlace) => (token: string) => void found.push({ token, place });
  subprotocols(request).forEach(add('subprotocol'));
  authorizations(request).forEach(add('authorization'));
  if (cookie !== undefined) cookies(request, cookie).forEach(add('cookie'));
  parameters(request.query).forEach(add('query'));
  const [first] = found;
  if (first === undefined) return { kind: 'missing' };
  if (found.length > 1) {
    return { kind: 'wrong', why: `there are ${found.length} tokens in the request; there must be one` };
  }
  const why = wrongToken(first.token);
  return why === undefined ? { kind: 'found', ...first } : { kind: 'wrong', why };
}

/** Why that is no token at all; `undefined` when it could be one. */
export function wrongToken(token: string): string | undefined {
  if (token.length > maxTokenBytes) {
    return `the token has ${token.length} characters; it must have at most ${maxTokenBytes}`;
  }
  return compactJws.test(token) ? undefined : 'the token is not a signed JWT';
}

function subprotocols({ headers }: AdmissionRequest): readonly string[] {
  return (headers.get('sec-websocket-protocol') ?? [])
    .flatMap((line) => line.split(','))
    .map((name) => name.trim())
    .filter((name) => name.startsWith(bearerProtocol))
    .map((name) => name.slice(bearerProtocol.length));
}

/** Of another scheme it is somebody else's. */
function authorizations({ headers }: AdmissionRequest): readonly string[] {
  return (headers.get('authorization') ?? []).flatMap((line) => {
    const token = bearer.exec(line.trim())?.[1];
    return token === undefined ? [] : [token];
  });
}

function cookies({ headers }: AdmissionRequest, name: string): readonly string[] {
  return (headers.get('cookie') ?? [])
    .flatMap((line) => line.split(';'))
    .map((pair) => pair.trim())
    .filter((pair) => pair.startsWith(`${name}=`))
    .map((pair) => pair.slice(name.length + 1).replace(/^"(.*)"$/, '$1'));
}

function parameters(query: string): readonly string[] {
  return query
    .split('&')
    .filter((pair) => pair.startsWith(`${tokenParameter}=`))
    .map((pair) => pair.slice(tokenParameter.length + 1));
}
