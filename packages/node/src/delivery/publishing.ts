import { type Message, type Receipt, Receipts } from '@pinwheel/protocol';
import type { Passage } from './passage.js';
import type { Router } from './router.js';

export interface PublishOptions {
  readonly router: Router;
  /** Takes a message to its user by the strategy. Never rejects for a message that was taken in by the API. */
  readonly send: (message: Message, deadlineMs: number) => Promise<Receipt>;
  readonly now: () => number;
}

/**
 * Where no node owns a user, a caller's messages go the way of the strategy, whichever node is asked: sessions may be
 * anywhere. What another node passes on is for users who are here.
 */
export function publishing({ router, send, now }: PublishOptions) {
  return async (batch: readonly Message[], passage: Passage): Promise<Receipts> => {
    if (passage.hops > 0) return router.route(batch, passage);
    const left = Math.max(1, Math.round(passage.deadline - now()));
    const receipts = new Receipts(batch.length);
    const ends = await Promise.all(batch.map((message) => send(message, left)));
    for (const [i, receipt] of ends.entries()) receipts.put(i, receipt);
    return receipts;
  };
}
