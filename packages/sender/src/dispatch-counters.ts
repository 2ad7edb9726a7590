import type { ReceiptStatus } from '@pinwheel/protocol';

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
    receipts: { delivered: 0, queued: 0, published: 0, offline: 0, overloaded: 0, 'not-owner': 0 },
    batches: 0,
    batchedMessages: 0,
    retries: 0,
    refused: 0,
  };
}
