import { Buffer } from 'node:buffer';
import { type CloseCode, closeCodes, closeReasonOf, maxReasonBytes } from '@pinwheel/protocol';

/** The ends of a session that an edge brings about. */
export const closeOf = {
  'too-slow': closeCodes.tooSlow,
  'token-expired': closeCodes.tokenExpired,
  'rate-exceeded': closeCodes.rateExceeded,
  'inbound-overflow': closeCodes.inboundOverflow,
  unavailable: closeCodes.unavailable,
  'hello-timeout': closeCodes.helloTimeout,
  'too-large': closeCodes.tooLarge,
  'protocol-error': closeCodes.protocolError,
  drained: closeCodes.moved,
} as const satisfies Record<string, CloseCode>;

export type OwnEnd = keyof typeof closeOf;

/** Clients that no node could take come back over this time, in ms. */
export const comeBackMs = 5000;

const abnormal = 1006;

/** What the client is told; the delay counts for the ends that say one. */
export function ownReason(end: OwnEnd, retryAfterMs: number): string {
  return end === 'drained' || end === 'unavailable' ? closeReasonOf(retryAfterMs) : closeOf[end].reason;
}

/** A client's close code as a link takes it. */
export function sendableCode(code: number): number {
  return code >= 1000 && code <= 4999 ? code : abnormal;
}

/** A client's reason as a link takes it: one that is too long is left out. */
export function sendableReason(reason: string): string {
  return Buffer.byteLength(reason) <= maxReasonBytes ? reason : '';
}

/** A reason as a close frame has room for. */
export function cutReason(why: string): string {
  const bytes = Buffer.from(why);
  if (bytes.length <= maxReasonBytes) return why;
  // what was cut in the middle of a character becomes a mark of three bytes
  return bytes.toString('utf8', 0, maxReasonBytes - 3).replace(/\ufffd+$/, '');
}
