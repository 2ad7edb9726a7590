import { PinwheelError, withoutSecret } from '@pinwheel/protocol';
import { type HttpTarget, httpTarget, isHttpUrl, isLoopback, leadsToLoopback } from '@pinwheel/server';
import { OriginList } from './origin-list.js';

/** How clients prove who they are. */
export const authKinds = ['none', 'jwt', 'webhook'] as const;
export type AuthKind = (typeof authKinds)[number];

/** Algorithms of public keys: with a shared secret whoever checks tokens could make them. */
export const jwtAlgorithms = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
] as const;

export interface JwtOptions {
  /** Where the public keys are: a JWKS file, or an `https:` URL (`http:` on loopback only). */
  readonly jwks: string;
  /** `iss` must be one of these. */
  readonly issuer: string | readonly string[];
  /** `aud` must name one of these: others' tokens of the same issuer are not for this service. */
  readonly audience: string | readonly string[];
  /** What tokens may be signed with. Default RS256, PS256, ES256, EdDSA. */
  readonly algorithms?: readonly string[];
  /** The claim that has the user's id, a string. Default `sub`. */
  readonly userClaim?: string;
  /** A cookie that may hold the token. Needs `allowOrigin`: browsers send cookies for any page. Default: none. */
  readonly cookie?: string;
  /** Difference of clocks that is forgiven at `exp` and `nbf`, in s, 0 to 300. Default 5. */
  readonly leewaySeconds?: number;
  /** A key set that is older is read again, in ms, 1,000 to 86,400,000. Default 300,000. Shorter: keys are withdrawn sooner. */
  readonly refreshMs?: number;
}

export interface AdmissionOptions {
  /**
   * How a client proves who it is. `none`: it is whoever its `?user=` says. `jwt`: with a token, see {@link jwt}.
   * `webhook`: {@link authUrl} is asked. Default `none`.
   */
  readonly auth?: AuthKind;
  /** Takes clients without authentication on any address. Default `false`. */
  readonly allowAnonymous?: boolean;
  readonly jwt?: JwtOptions;
  /**
   * `webhook`: gets `POST {"path","query","headers"}` and answers `{"user","expiresAt"?}` (ms since 1970), or 401 or 403.
   * An `http:` or `https:` URL.
   */
  readonly authUrl?: string;
  /** `webhook`: time for an answer, in ms, 10 to 60,000. Default 5,000. */
  readonly authTimeoutMs?: number;
  /** `webhook`: how long an answer is believed for the same question, in ms, 0 to 3,600,000. Default 5,000. */
  readonly authCacheMs?: number;
  /** Pages of these origins may connect, and no others. Default: all. */
  readonly allowOrigin?: readonly string[];
}

export interface ResolvedJwtOptions {
  readonly jwks: string;
  readonly issuer: readonly string[];
  readonly audience: readonly string[];
  readonly algorithms: readonly string[];
  readonly userClaim: string;
  readonly cookie: string | undefined;
  readonly leewaySeconds: number;
  readonly refreshMs: number;
}

export interface ResolvedWebhookOptions {
  readonly target: HttpTarget;
  readonly timeoutMs: number;
  readonly cacheMs: number;
}

export type ResolvedAuth =
  | { readonly kind: 'none' }
  | ({ readonly kind: 'jwt' } & ResolvedJwtOptions)
  | ({ readonly kind: 'webhook' } & ResolvedWebhookOptions);

export interface ResolvedAdmission {
  readonly auth: ResolvedAuth;
  readonly origins: OriginList | undefined;
}

/** @throws PinwheelError `bad-option` that names the option, its value and its bounds. */
export function resolveAdmission(options: AdmissionOptions, host: string): ResolvedAdmission {
  const { allowOrigin, allowAnonymous = false } = options;
  const auth = resolveAuth(options);
  if (auth.kind === 'none' && !allowAnonymous && !isLoopback(host)) {
    throw new PinwheelError(
      'bad-option',
      `host is ${host} and auth is none: anybody who reaches it could connect as any user; listen on 127.0.0.1, set auth, or set allowAnonymous`,
    );
  }
  if (auth.kind === 'jwt' && auth.cookie !== undefined && allowOrigin === undefined) {
    throw new PinwheelError(
      'bad-option',
      'jwt.cookie is given and allowOrigin is not: browsers send cookies for every page, so any page could connect in its visitor’s name',
    );
  }
  return { auth, origins: allowOrigin === undefined ? undefined : new OriginList(allowOrigin) };
}

function resolveAuth(options: AdmissionOptions): ResolvedAuth {
  const { auth: kind = 'none', jwt, authUrl } = options;
  if (jwt !== undefined && kind !== 'jwt') throw unused('jwt', kind, 'jwt');
  if (authUrl !== undefined && kind !== 'webhook') throw unused('authUrl', kind, 'webhook');
  switch (kind) {
    case 'none':
      return { kind };
    case 'jwt':
      if (jwt === undefined) throw missing('jwt', 'jwt');
      return { kind, ...resolveJwt(jwt) };
    case 'webhook':
      if (authUrl === undefined) throw missing('authUrl', 'webhook');
      return {
        kind,
        target: targetOf(authUrl),
        timeoutMs: within('authTimeoutMs', options.authTimeoutMs ?? 5000, 10, 60_000),
        cacheMs: within('authCacheMs', options.authCacheMs ?? 5000, 0, 3_600_000),
      };
    default:
      throw wrong('auth', kind satisfies never, `one of ${authKinds.join(', ')}`);
  }
}

function resolveJwt(jwt: JwtOptions): ResolvedJwtOptions {
  const algorithms = jwt.algorithms ?? ['RS256', 'PS256', 'ES256', 'EdDSA'];
  const unknown = algorithms.find((name) => !(jwtAlgorithms as readonly string[]).includes(name));
  if (unknown !== undefined || algorithms.length === 0) {
    throw wrong('jwt.algorithms', unknown, `one or more of ${jwtAlgorithms.join(', ')}`);
  }
  const { jwks, userClaim = 'sub', cookie } = jwt;
  if (typeof jwks !== 'string' || jwks === '') throw wrong('jwt.jwks', jwks, 'a URL or the path of a file');
  if (isHttpUrl(jwks)) securely(jwks);
  if (userClaim === '') throw wrong('jwt.userClaim', userClaim, 'the name of a claim');
  if (cookie !== undefined && !/^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/.test(cookie)) {
    throw wrong('jwt.cookie', cookie, 'the name of a cookie');
  }
  return {
    jwks,
    issuer: textList('jwt.issuer', jwt.issuer),
    audience: textList('jwt.audience', jwt.audience),
    algorithms,
    userClaim,
    cookie,
    leewaySeconds: within('jwt.leewaySeconds', jwt.leewaySeconds ?? 5, 0, 300),
    refreshMs: within('jwt.refreshMs', jwt.refreshMs ?? 300_000, 1000, 86_400_000),
  };
}

/** Whoever can answer in its place signs tokens for everybody. */
function securely(url: string): void {
  if (!URL.canParse(url)) throw wrong('jwt.jwks', url, 'a URL or the path of a file');
  const target = new URL(url);
  if (target.protocol === 'https:' || leadsToLoopback(target)) return;
  throw wrong('jwt.jwks', url, 'an https: URL: over http: anybody in between could put in keys of his own');
}

function targetOf(text: string): HttpTarget {
  const target = httpTarget(text);
  if (target !== undefined) return target;
  throw wrong('authUrl', text, 'an http: or https: URL');
}

function textList(name: string, value: string | readonly string[]): readonly string[] {
  const list = typeof value === 'string' ? [value] : (value ?? []);
  if (list.length > 0 && list.every((one) => typeof one === 'string' && one !== '')) return list;
  throw wrong(name, value, 'one or more texts');
}

function within(name: string, value: number, least: number, most: number): number {
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  throw wrong(name, value, `a whole number from ${least} to ${most}`);
}

function wrong(name: string, value: unknown, wanted: string): PinwheelError {
  const shown = typeof value === 'string' ? withoutSecret(value) : value;
  return new PinwheelError('bad-option', `${name} is ${JSON.stringify(shown)}; it must be ${wanted}`);
}

function missing(name: string, kind: AuthKind): PinwheelError {
  return new PinwheelError('bad-option', `auth is ${kind} and ${name} is missing`);
}

function unused(name: string, kind: AuthKind, wanted: AuthKind): PinwheelError {
  return new PinwheelError('bad-option', `${name} is given and auth is ${kind}; it must be ${wanted}`);
}
