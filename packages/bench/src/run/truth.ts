import type { Run } from '../result.js';
import { receiptMeaning } from './sender-questions.js';

/** What became of messages, by what their receipts say and what came to clients. */
export type Truth = Pick<Run, 'sent' | 'delivered' | 'lost' | 'duplicated' | 'refused'>;

/**
 * @param statuses what each message's receipt says.
 * @param counts how often each came.
 */
export function truthOf(statuses: Uint8Array, counts: Uint8Array): Truth {
  let delivered = 0;
  let lost = 0;
  let duplicated = 0;
  let refused = 0;
  for (let i = 0; i < statuses.length; i++) {
    const came = counts[i]!;
    if (came > 0) {
      delivered++;
      duplicated += came - 1;
    } else if (statuses[i] === receiptMeaning.taken) lost++;
    if (statuses[i] === receiptMeaning.refused) refused++;
  }
  return { sent: statuses.length, delivered, lost, duplicated, refused };
}
