import type { PinwheelError, ReceiptDetail } from '@pinwheel/protocol';
import type { Posted } from '@pinwheel/strategy';
import type { Outcome } from './batch-answer.js';

/** What became of a batch of whose posts none was taken; `undefined` when some were, or there were none. */
export function failureOfAll(posted: readonly Posted[]): Extract<Outcome, { kind: 'failed' }> | undefined {
  let failure: Extract<Posted, { kind: 'failed' }> | undefined;
  for (const end of posted) {
    if (end.kind === 'taken') return undefined;
    failure ??= end;
  }
  return failure;
}

export function detailOf({ code, message }: PinwheelError): ReceiptDetail {
  return { error: { code, message } };
}
