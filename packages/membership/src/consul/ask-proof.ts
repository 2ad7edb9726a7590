import { randomBytes } from 'node:crypto';
import { type KeySource, memberProofKey } from '@pinwheel/trust';
import { askHealth } from '../member/ask-health.js';
import type { AskProof } from './proven-members.js';

const timeoutMs = 500;

/** Asks nodes on `/healthz` with a number that is used once. */
export function askProof(keys: KeySource): AskProof {
  return async (member) => {
    const { id, incarnation, address, port, wsPort } = member;
    if (member.kind !== 'node' || incarnation === undefined) {
      return 'it is no Pinwheel node, and with keys only members that prove that they have one are taken';
    }
    const nonce = randomBytes(24).toString('base64url');
    const finding = await askHealth(address, port, timeoutMs, nonce);
    if (finding.kind !== 'node') return `it has not proven that it has a key: ${finding.reason}`;
    const claim = { id, incarnation, address, port, ...(wsPort === undefined ? {} : { wsPort }) };
    const { proof } = finding.answer;
    if (proof === undefined) return 'it has not proven that it has a key: was it given --keys?';
    const key = memberProofKey(keys, claim, nonce, proof);
    return key ?? 'its proof that it has a key is not one of this member, made with a key that is known here';
  };
}
