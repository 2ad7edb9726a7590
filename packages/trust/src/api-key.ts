import { hash, randomBytes } from 'node:crypto';

/** What a key may do. `send`: messages to users, and asking what became of them. */
export const apiScopes = ['send', 'presence', 'disconnect', 'broadcast', 'admin'] as const;
export type ApiScope = (typeof apiScopes)[number];

/** A key of somebody who is no process of the service, as it is known here: without its secret. Immutable. */
export interface ApiKey {
  /** Letters, digits, `.` and `-`, 1 to 64: the first `_` of a key's text ends it. */
  readonly id: string;
  /** SHA-256 of the secret. No salt and no slow hash: the secret is random and long, nobody guesses it. */
  readonly hash: Buffer;
  readonly scopes: ReadonlySet<ApiScope>;
  /** Messages that it may send for each second, at each node; `undefined`: no bound of its own. */
  readonly sendsPerSecond: number | undefined;
  /** Messages that it may send at once. */
  readonly burst: number;
  /** After it the key is refused, in ms since 1970; `undefined`: never. */
  readonly expiresAt: number | undefined;
}

/** A key as its holder shows it: the id in the clear, and the secret. */
export interface ShownApiKey {
  readonly id: string;
  readonly secret: string;
}

const begin = 'pwk_';
const idPattern = /^[A-Za-z0-9.-]{1,64}$/;
const keyPattern = /^bearer +pwk_([A-Za-z0-9.-]{1,64})_([A-Za-z0-9_-]{32,128})$/i;
/** Longer is none, and is not looked at. */
const maxHeaderLength = 256;

export function isApiKeyId(id: unknown): id is string {
  return typeof id === 'string' && idPattern.test(id);
}

/** Reads `Bearer pwk_<id>_<secret>`; `undefined` for anything else. */
export function parseBearer(authorization: string): ShownApiKey | undefined {
  if (authorization.length > maxHeaderLength) return undefined;
  const [, id, secret] = keyPattern.exec(authorization) ?? [];
  return id === undefined || secret === undefined ? undefined : { id, secret };
}

/** Whether a query holds a key: URLs end up in the logs of everybody on the way. */
export function hasApiKeyIn(query: string): boolean {
  return query.includes(begin) || decoded(query).includes(begin);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

export function hashOf(secret: string): Buffer {
  return hash('sha256', secret, 'buffer');
}

/** A new key: the text for its holder, which is not kept anywhere, and the hash for the file. */
export function newApiKey(id: string): { readonly key: string; readonly hash: string } {
  const secret = randomBytes(32).toString('base64url');
  return { key: `${begin}${id}_${secret}`, hash: hashOf(secret).toString('hex') };
}
