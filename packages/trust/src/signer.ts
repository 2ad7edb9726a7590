import { randomBytes } from 'node:crypto';
import type { KeySource } from './key-source.js';
import { digestOf, emptyDigest, formatProof, macOf, type ProvenCall } from './proof.js';

/** Makes proofs, one for each call. A call that is made again needs a new one. */
export class Signer {
  readonly #keys: KeySource;
  readonly #now: () => number;
  readonly #process = randomBytes(12).toString('base64url');
  #number = 0;

  /** @param now ms since 1970. */
  constructor(keys: KeySource, now: () => number = Date.now) {
    this.#keys = keys;
    this.#now = now;
  }

  /** @param body `undefined` for a call without one. */
  sign(call: ProvenCall, body?: string | Uint8Array): string {
    const key = this.#keys.current.first;
    const bodyDigest = body === undefined || body.length === 0 ? emptyDigest : digestOf(body);
    const proof = {
      keyId: key.id,
      time: Math.round(this.#now()),
      process: this.#process,
      number: ++this.#number,
      bodyDigest,
    };
    return formatProof({ ...proof, mac: macOf(key, call, proof).toString('base64url') });
  }
}
