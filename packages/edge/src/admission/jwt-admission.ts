import { PinwheelError, parseUserId } from '@pinwheel/protocol';
import { type CryptoKey, errors, type JWTPayload, jwtVerify, type LocalJWKSet } from 'jose';
import { notNow, refusal } from '../http/refusal.js';
import type { Admission, Admissions } from './admission.js';
import type { ResolvedJwtOptions } from './admission-options.js';
import { findToken, wrongToken } from './find-token.js';
import type { KeySet } from './key-set.js';
import { hasRepeatedNames } from './repeated-names.js';

/** What a token for access says that it is; others (of a logout, of an event) are signed with the same keys. */
const accessTypes: ReadonlySet<string> = new Set(['jwt', 'at+jwt', 'application/at+jwt']);

const noKeysYet = 'the keys that tokens are signed with could not be read yet';

/** `auth: 'jwt'`: the client is who its token says, for as long as the token says. */
export class JwtAdmission implements Admissions {
  readonly #options: ResolvedJwtOptions;
  readonly #keySet: KeySet;
  readonly #now: () => number;

  /** @param now ms since 1970. */
  constructor(options: ResolvedJwtOptions, keySet: KeySet, now: () => number) {
    this.#options = options;
    this.#keySet = keySet;
    this.#now = now;
  }

  admit: Admissions['admit'] = (request) => {
    const found = findToken(request, this.#options.cookie);
    switch (found.kind) {
      case 'found':
        return this.renew(found.token);
      case 'missing':
        return refused('the token is missing; it must be in the subprotocols, Authorization or ?token=');
      case 'wrong':
        return refused(found.why);
      default:
        throw new TypeError(`unknown token ${found satisfies never}`);
    }
  };

  renew = async (token: string): Promise<Admission> => {
    const wrong = wrongToken(token);
    if (wrong !== undefined) return refused(wrong);
    try {
      return this.#admission(await this.#verified(token), token);
    } catch (thrown) {
      if (thrown instanceof KeysMissing) {
        return { refused: notNow('unavailable', noKeysYet), outcome: 'unavailable' };
      }
      return refused(reasonOf(thrown));
    }
  };

  lacks = (): string | undefined => (this.#keySet.keys === undefined ? noKeysYet : undefined);

  close(): void {
    this.#keySet.close();
  }

  async #verified(token: string): Promise<JWTPayload> {
    if (this.#keySet.keys === undefined) await this.#keySet.refresh();
    try {
      return await this.#verify(token);
    } catch (thrown) {
      if (!(thrown instanceof errors.JWKSNoMatchingKey)) throw thrown;
      // signed with a key that is new, or with none of ours
      const before = this.#keySet.keys;
      await this.#keySet.refresh();
      if (this.#keySet.keys === before) throw thrown;
      return await this.#verify(token);
    }
  }

  async #verify(token: string): Promise<JWTPayload> {
    const { keys } = this.#keySet;
    if (keys === undefined) throw new KeysMissing();
    try {
      return await this.#verifyWith(token, keys);
    } catch (thrown) {
      if (!(thrown instanceof errors.JWKSMultipleMatchingKeys)) throw thrown;
      for await (const key of thrown) {
        try {
          return await this.#verifyWith(token, () => key);
        } catch (again) {
          if (!(again instanceof errors.JWSSignatureVerificationFailed)) throw again;
        }
      }
      throw new errors.JWSSignatureVerificationFailed();
    }
  }

  async #verifyWith(token: string, key: LocalJWKSet | (() => CryptoKey)): Promise<JWTPayload> {
    const { algorithms, issuer, audience, leewaySeconds } = this.#options;
    const { payload, protectedHeader } = await jwtVerify(token, key as LocalJWKSet, {
      algorithms: [...algorithms],
      issuer: [...issuer],
      audience: [...audience],
      clockTolerance: leewaySeconds,
      requiredClaims: ['exp'],
      currentDate: new Date(this.#now()),
    });
    const { typ } = protectedHeader;
    if (typ !== undefined && !accessTypes.has(String(typ).toLowerCase()))
      throw new Wrong('is of a wrong type');
    return payload;
  }

  #admission(payload: JWTPayload, token: string): Admission {
    const { userClaim, leewaySeconds } = this.#options;
    if (token.split('.', 2).some((part) => hasRepeatedNames(Buffer.from(part, 'base64url').toString()))) {
      throw new Wrong('names a member twice');
    }
    const user = parseUserId(Object.hasOwn(payload, userClaim) ? payload[userClaim] : undefined);
    const expiresAt = Math.ceil((payload.exp! + leewaySeconds) * 1000);
    // JSON can say 1e999
    if (!Number.isSafeInteger(expiresAt)) throw new Wrong('has an exp that is no time');
    return { user, expiresAt };
  }
}

class KeysMissing extends Error {}
class Wrong extends Error {}

function refused(why: string): Admission {
  return { refused: refusal(401, 'not-authenticated', why), outcome: 'bad-token' };
}

/** In words of our own: what the library says may quote the token. */
function reasonOf(thrown: unknown): string {
  if (thrown instanceof Wrong) return `the token ${thrown.message}`;
  if (thrown instanceof PinwheelError) return `the token names no user: ${thrown.message}`;
  if (thrown instanceof errors.JWTExpired) return 'the token has expired';
  if (thrown instanceof errors.JWTClaimValidationFailed)
    return `the token's claim ${thrown.claim} does not fit`;
  if (thrown instanceof errors.JWKSNoMatchingKey) return 'the token is signed with an unknown key';
  if (thrown instanceof errors.JOSEAlgNotAllowed)
    return 'the token is signed with an algorithm that is not allowed';
  if (thrown instanceof errors.JWSSignatureVerificationFailed) return "the token's signature is wrong";
  return 'the token cannot be verified';
}
