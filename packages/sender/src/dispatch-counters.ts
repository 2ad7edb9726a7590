import { zeros } from '@pinwheel/metrics';
import { type ReceiptStatus, receiptStatuses } from '@pinwheel/protocol';

/** Plain numbers that the dispatch raises; the metrics copy them when they are asked for. */
export interface DispatchCounters {
  readonly receipts: Record<ReceiptStatus, number>;
  batches: number;
  batchedMessages: number;
  retries: number;
  refused: number;
}

export function createDispatchCounters(): DispatchCounters {
  return {
    receipts: zeros(receiptStatuses),
    batches: 0,
    batchedMessages: 0,
    retries: 0,
    refused: 0,
  };
}
