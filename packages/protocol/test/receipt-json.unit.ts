import t from 'tap';
import type { Receipt } from '../src/index.js';
import { decodeReceipt, encodeReceipt } from '../src/link/receipt-json.js';

const delivered: Receipt = { user: 'ann', status: 'delivered', sessions: 1 };

t.test('a receipt is read as it was written', async (t) => {
  for (const receipt of [
    delivered,
    { ...delivered, stream: 's'.repeat(64), seq: 2 ** 32 - 1 },
    { user: 'zoë', status: 'overloaded', error: { code: 'deadline', message: 'late' } } as const,
  ]) {
    t.same(decodeReceipt(encodeReceipt(receipt)), receipt);
  }
});

t.test(
  'what another node says of a place can break no link: it is left out when it could not be read',
  async (t) => {
    for (const place of [
      { stream: 's'.repeat(65) },
      { stream: 7 as never },
      { seq: 1.5 },
      { seq: -1 },
      { seq: 2 ** 53 },
      { stream: 's', seq: Number.NaN },
    ]) {
      t.same(decodeReceipt(encodeReceipt({ ...delivered, ...place })), delivered, JSON.stringify(place));
    }
  },
);
