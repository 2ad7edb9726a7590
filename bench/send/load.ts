import type { Ledger } from './ledger.js';

/** Sends as fast as it gets receipts. */
export interface Load {
  readonly ledger: Ledger;
  /** Messages per request so far. */
  readonly messagesPerRequest: number;
  /** Sends no more; resolves when every message has its receipt. Rejects when it could not go on before. */
  stop(): Promise<void>;
}
