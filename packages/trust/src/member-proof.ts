import { createHmac } from 'node:crypto';
import type { Key } from './key-ring.js';
import type { KeySource } from './key-source.js';
import { isMac } from './proof.js';

/** What a node says of itself, and where it is called: passed on by somebody elsewhere, a proof is none. */
export interface MemberClaim {
  readonly id: string;
  readonly incarnation: string;
  readonly address: string;
  readonly port: number;
  readonly wsPort?: number;
}

const noncePattern = /^[A-Za-z0-9_-]{16,64}$/;
const proofPattern = /^v1\.([A-Za-z0-9_-]{1,64})\.([A-Za-z0-9_-]{43})$/;

/** Whether a text can be what a member is asked to prove itself for: 16 to 64 of A-Z a-z 0-9 _ -. */
export function isMemberNonce(text: string): boolean {
  return noncePattern.test(text);
}

/** That whoever answers has a key of the service: `v1.key.mac`, good for this nonce only. */
export function proveMember(keys: KeySource, claim: MemberClaim, nonce: string): string {
  const key = keys.current.first;
  return `v1.${key.id}.${macOf(key, claim, nonce).toString('base64url')}`;
}

/** The key that a proof was made with, for this member and this nonce; `undefined` for what is no such proof. */
export function memberProofKey(
  keys: KeySource,
  claim: MemberClaim,
  nonce: string,
  proof: string,
): Key | undefined {
  const [, keyId, mac] = proofPattern.exec(proof) ?? [];
  if (keyId === undefined || mac === undefined) return undefined;
  const key = keys.current.get(keyId);
  return key !== undefined && isMac(macOf(key, claim, nonce), mac) ? key : undefined;
}

function macOf(key: Key, { id, incarnation, address, port, wsPort }: MemberClaim, nonce: string): Buffer {
  return createHmac('sha256', key.secret)
    .update(
      `pinwheel-member v1\n${nonce}\n${id}\n${incarnation}\n${address}\n${port}\n${wsPort ?? ''}\n${key.id}\n`,
    )
    .digest();
}
