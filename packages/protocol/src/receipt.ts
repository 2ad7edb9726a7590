import type { ErrorDetail } from './pinwheel-error.js';

/**
 * What became of a message. `delivered`: written to `sessions` sessions. `queued`: kept for a user who is away.
 * `published`: handed to a queue that answers nothing. `offline`: the user has no session. `overloaded`: not
 * taken, or its fate is not known; `error` says which. `not-owner`: this node neither holds nor owns the user.
 */
export type ReceiptStatus = (typeof receiptStatuses)[number];

/** A binary batch's receipts name a status by its place here. */
export const receiptStatuses = [
  'delivered',
  'queued',
  'published',
  'offline',
  'overloaded',
  'not-owner',
] as const;

export function isReceiptStatus(status: unknown): status is ReceiptStatus {
  return (receiptStatuses as readonly unknown[]).includes(status);
}

export interface Receipt {
  readonly user: string;
  readonly status: ReceiptStatus;
  /** With `delivered`: how many sessions it was written to. */
  readonly sessions?: number;
  readonly stream?: string;
  readonly seq?: number;
  /** With `not-owner`: the id of the member that the answering node would send it to. */
  readonly owner?: string;
  /** With `not-owner`: the ring that the answering node judged by. */
  readonly fingerprint?: string;
  /** Why the status is not a better one. `unknown-outcome` means that it may have been delivered. */
  readonly error?: ErrorDetail;
}

/** HTTP status of the single-message form. */
export function httpStatusOfReceipt(receipt: Receipt): number {
  switch (receipt.status) {
    case 'delivered':
      return 200;
    case 'queued':
    case 'published':
      return 202;
    case 'offline':
      return 404;
    case 'not-owner':
      return 421;
    case 'overloaded':
      return 503;
    default:
      throw new TypeError(`unknown receipt status ${receipt.status satisfies never}`);
  }
}
