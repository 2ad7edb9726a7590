import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import t from 'tap';
import {
  errorCodes,
  httpStatusOfReceipt,
  PinwheelError,
  type ReceiptDetail,
  type ReceiptStatus,
  Receipts,
} from '../src/index.js';

const statuses: readonly ReceiptStatus[] = [
  'delivered',
  'queued',
  'published',
  'offline',
  'overloaded',
  'not-owner',
];
const detail: fc.Arbitrary<ReceiptDetail> = fc.record(
  {
    stream: fc.string(),
    seq: fc.nat(),
    owner: fc.string(),
    fingerprint: fc.string(),
    error: fc.record(
      {
        code: fc.constantFrom(...(Object.keys(errorCodes) as (keyof typeof errorCodes)[])),
        message: fc.string({ unit: 'grapheme' }),
      },
      { noNullPrototype: true },
    ),
  },
  { requiredKeys: [], noNullPrototype: true },
);
const receipt = fc.record({
  status: fc.constantFrom(...statuses),
  sessions: fc.nat(70_000),
  detail: fc.option(detail, { nil: undefined }),
});

function columns(
  all: readonly { status: ReceiptStatus; sessions: number; detail: ReceiptDetail | undefined }[],
) {
  const receipts = new Receipts(all.length);
  for (const [i, { status, sessions, detail: said }] of all.entries())
    receipts.set(i, status, sessions, said);
  return receipts;
}

function tryDecode(bytes: Buffer, length: number): void {
  try {
    Receipts.decode(bytes, length);
  } catch (thrown) {
    if (!(thrown instanceof PinwheelError)) throw thrown;
  }
}

t.test('what is written is read', async () => {
  fc.assert(
    fc.property(fc.array(receipt, { maxLength: 30 }), (all) => {
      const written = columns(all);
      const read = Receipts.decode(written.encode(), all.length);
      all.forEach((_, i) => {
        if (!isDeepStrictEqual(read.receipt(i, 'ann'), written.receipt(i, 'ann')))
          throw new Error(`place ${i}`);
      });
    }),
    { numRuns: 200 },
  );
});

t.test('random and changed bytes are refused and never break the reader', async () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(40), (bytes, length) => {
      tryDecode(Buffer.concat([Buffer.from('PWR1'), bytes]), length);
      tryDecode(Buffer.from(bytes), length);
    }),
    { numRuns: 1000 },
  );
  fc.assert(
    fc.property(
      fc.array(receipt, { minLength: 1, maxLength: 6 }),
      fc.nat(),
      fc.nat(255),
      fc.nat(),
      (all, at, value, cut) => {
        const bytes = columns(all).encode();
        bytes[at % bytes.length] = value;
        tryDecode(bytes, all.length);
        tryDecode(bytes, all.length + 1);
        tryDecode(bytes.subarray(0, cut % bytes.length), all.length);
      },
    ),
    { numRuns: 1000 },
  );
});

t.test('a detail that would not fit is cut down, and the batch survives it', async (t) => {
  const long: readonly ReceiptDetail[] = [
    { error: { code: 'unknown-outcome', message: 'x'.repeat(70_000) } },
    { error: { code: 'deadline', message: '\ufffd'.repeat(30_000) } },
    { owner: 'x'.repeat(70_000) },
  ];
  const receipts = new Receipts(4);
  for (const [i, said] of long.entries()) receipts.set(i, 'overloaded', 0, said);
  receipts.set(3, 'delivered', 2);
  const read = Receipts.decode(receipts.encode(), 4);
  t.match(read.receipt(0, 'a'), {
    status: 'overloaded',
    error: { code: 'unknown-outcome', message: /^x+$/ },
  });
  t.match(read.receipt(1, 'a'), { error: { code: 'deadline' } });
  t.match(read.receipt(2, 'a'), { error: { code: 'internal' } });
  t.same(read.receipt(3, 'a'), { user: 'a', status: 'delivered', sessions: 2 });
});

t.test('faults are named with the receipt’s place', async (t) => {
  const bytes = columns([{ status: 'delivered', sessions: 1, detail: undefined }]).encode();
  t.throws(() => Receipts.decode(Buffer.from('PWR2'), 0), { code: 'bad-request', message: /PWR1/ });
  t.throws(() => Receipts.decode(bytes, 2), { message: /receipt 2 of 2 is cut off/ });
  t.throws(() => Receipts.decode(Buffer.concat([bytes, bytes]), 1), { message: /7 bytes follow/ });
  t.throws(() => Receipts.decode(Buffer.from('PWR1\x06\0\0'), 1), { message: /unknown status 6/ });
  t.throws(() => Receipts.decode(Buffer.from('PWR1\x80\0\0\x01\0x', 'latin1'), 1), { message: /not JSON/ });
  t.throws(() => Receipts.decode(Buffer.from('PWR1\x80\0\0\x01\x007', 'latin1'), 1), {
    message: /not an object/,
  });
  const json = '{"error":{"code":1},"seq":"x"}';
  const odd = Receipts.decode(
    Buffer.from(`PWR1\x80\0\0${String.fromCharCode(json.length)}\0${json}`, 'latin1'),
    1,
  );
  t.same(
    odd.receipt(0, 'a'),
    { user: 'a', status: 'delivered', sessions: 0 },
    'unknown details are left out',
  );
});

t.test('a count beyond two bytes is the largest that fits', async (t) => {
  const receipts = new Receipts(1);
  receipts.set(0, 'delivered', 65_536);
  t.equal(Receipts.decode(receipts.encode(), 1).receipt(0, 'a').sessions, 65_535);
  receipts.set(0, 'offline');
  t.same(receipts.receipt(0, 'a'), { user: 'a', status: 'offline' });
});

t.test('HTTP status of each receipt', async (t) => {
  t.same(
    statuses.map((status) => httpStatusOfReceipt({ user: 'a', status })),
    [200, 202, 202, 404, 503, 421],
  );
});
