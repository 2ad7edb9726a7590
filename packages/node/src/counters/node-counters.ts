import { zeros } from '@pinwheel/metrics';
import { type ReceiptStatus, receiptStatuses } from '@pinwheel/protocol';
import { limitNames } from '@pinwheel/server';

/** Every bound that a client of the WebSocket port can reach, as it is counted. */
export const nodeLimitNames = [...limitNames, 'head-time'] as const;

/** Exchanges that are neither answered nor given up by their callers. */
export interface Unanswered {
  count: number;
  /** The node has left, and waits only for those that came before. */
  readonly areLate: boolean;
}

/** Plain numbers that the paths of messages raise; the metrics copy them when they are asked for. */
export interface NodeCounters {
  /** Receipts given to callers of this node, by status. */
  readonly receipts: Record<ReceiptStatus, number>;
  /** Requests by kind. */
  readonly requests: Record<
    'single' | 'batch' | 'ndjson' | 'broadcast' | 'presence' | 'disconnect' | 'acknowledgement' | 'peer',
    number
  >;
  /** Requests answered with an error, by HTTP status class; `gone`: the caller left before the answer. */
  readonly refusals: Record<'4xx' | '5xx' | 'gone', number>;
  /** Requests that have come and are not answered yet. A node that leaves replaces it: it counts those that come too late. */
  unanswered: Unanswered;
  /** How often clients were refused or closed at a bound. */
  readonly limits: Record<(typeof nodeLimitNames)[number], number>;
  /** Closed sessions by the name of the close code, or what ended them. */
  readonly closes: Map<string, number>;
  forwarded: number;
  notOwner: number;
  /** Messages that a session at its bound did not take. */
  dropped: number;
  inboundMessages: number;
  inboundRefused: number;
  /** Messages of clients to other users. */
  clientSends: number;
  applicationErrors: number;
  upgradesAccepted: number;
  upgradesRefused: number;
}

export function createNodeCounters(): NodeCounters {
  return {
    receipts: zeros(receiptStatuses),
    requests: {
      single: 0,
      batch: 0,
      ndjson: 0,
      broadcast: 0,
      presence: 0,
      disconnect: 0,
      acknowledgement: 0,
      peer: 0,
    },
    refusals: { '4xx': 0, '5xx': 0, gone: 0 },
    unanswered: { count: 0, areLate: false },
    limits: zeros(nodeLimitNames),
    closes: new Map(),
    forwarded: 0,
    notOwner: 0,
    dropped: 0,
    inboundMessages: 0,
    inboundRefused: 0,
    clientSends: 0,
    applicationErrors: 0,
    upgradesAccepted: 0,
    upgradesRefused: 0,
  };
}
