import { createHmac, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';

export type Algorithm = 'RS256' | 'ES256' | 'EdDSA';
export const issuer = 'https://issuer.example';
export const audience = 'chat';

interface Signer {
  readonly alg: Algorithm;
  readonly kid: string;
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
}

/** Somebody who signs tokens: by hand, so that they can be as wrong as a test wants. */
export class TokenIssuer {
  readonly signers: Readonly<Record<Algorithm, Signer>>;

  constructor(name = 'k') {
    this.signers = {
      RS256: signer('RS256', `${name}-rsa`, generateKeyPairSync('rsa', { modulusLength: 2048 })),
      ES256: signer('ES256', `${name}-ec`, generateKeyPairSync('ec', { namedCurve: 'P-256' })),
      EdDSA: signer('EdDSA', `${name}-ed`, generateKeyPairSync('ed25519')),
    };
  }

  get jwks(): { keys: Record<string, unknown>[] } {
    return {
      keys: Object.values(this.signers).map(({ alg, kid, publicKey }) => ({
        ...publicKey.export({ format: 'jwk' }),
        alg,
        kid,
        use: 'sig',
      })),
    };
  }

  /** A good token; `claims` and `header` replace what is in it, `undefined` takes something out. */
  token(
    claims: Readonly<Record<string, unknown>> = {},
    header: Readonly<Record<string, unknown>> = {},
    alg: Algorithm = 'ES256',
  ): string {
    return this.signed(
      JSON.stringify({ alg, kid: this.signers[alg].kid, typ: 'JWT', ...header }),
      JSON.stringify({ ...goodClaims(), ...claims }),
      alg,
    );
  }

  /** Signs what is given, JSON or not. */
  signed(header: string, payload: string, alg: Algorithm = 'ES256'): string {
    const input = `${encoded(header)}.${encoded(payload)}`;
    return `${input}.${signature(this.signers[alg], input)}`;
  }
}

export function goodClaims(): Record<string, unknown> {
  const now = Math.floor(Date.now() / 1000);
  return { sub: 'alice', iss: issuer, aud: audience, iat: now, nbf: now - 10, exp: now + 600 };
}

export function encoded(text: string | Buffer): string {
  return Buffer.from(text).toString('base64url');
}

/** With a shared secret, such as the text of a public key. */
export function signedWithSecret(header: object, payload: object, secret: string | Buffer): string {
  const input = `${encoded(JSON.stringify(header))}.${encoded(JSON.stringify(payload))}`;
  return `${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`;
}

export function publicPem(key: KeyObject): string {
  return key.export({ format: 'pem', type: 'spki' }).toString();
}

function signer(
  alg: Algorithm,
  kid: string,
  { privateKey, publicKey }: { privateKey: KeyObject; publicKey: KeyObject },
): Signer {
  return { alg, kid, privateKey, publicKey };
}

function signature({ alg, privateKey }: Signer, input: string): string {
  const key = alg === 'ES256' ? ({ key: privateKey, dsaEncoding: 'ieee-p1363' } as const) : privateKey;
  return sign(alg === 'EdDSA' ? null : 'sha256', Buffer.from(input), key).toString('base64url');
}
