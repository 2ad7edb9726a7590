import { type PinwheelError, type ReceiptDetail, Receipts } from '@pinwheel/protocol';
import type { Outcome } from './batch-answer.js';
import type { Pending } from './pending.js';

/** What became of some messages of a batch. */
export interface PostOutcome {
  readonly messages: readonly Pending[];
  readonly outcome: Outcome;
}

export function failed(messages: readonly Pending[], error: PinwheelError): PostOutcome {
  return { messages, outcome: { kind: 'failed', error } };
}

/** @param tell says of each message, by its place, what became of it. */
export function told(
  messages: readonly Pending[],
  tell: (receipts: Receipts, place: number) => void,
): PostOutcome {
  const receipts = new Receipts(messages.length);
  for (let i = 0; i < messages.length; i++) tell(receipts, i);
  return { messages, outcome: { kind: 'answered', receipts, foreignUsers: 0, fingerprint: '', turn: 0 } };
}

export function detailOf({ code, message }: PinwheelError): ReceiptDetail {
  return { error: { code, message } };
}
