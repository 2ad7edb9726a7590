import fc from 'fast-check';
import t from 'tap';
import {
  decodeFirstPart,
  decodeSecondPart,
  encodeFirstPart,
  encodeSecondPart,
  PinwheelError,
  Receipts,
} from '../src/index.js';
import { receiptStatuses } from '../src/receipt.js';

const anyStatus = fc.constantFrom(...receiptStatuses);
const anyReceipt = fc.record({
  status: anyStatus,
  sessions: fc.nat(0xffff),
  detail: fc.option(fc.record({ owner: fc.string() }), { nil: undefined }),
});
/** A batch's receipts, which of them come later, and of which the message went on to another node. */
const anyBatch = fc
  .array(fc.tuple(anyReceipt, fc.boolean(), fc.boolean()), { minLength: 2, maxLength: 100 })
  .filter((batch) => batch.some(([, isLater]) => isLater) && batch.some(([, isLater]) => !isLater));

function receiptsOf(
  all: readonly (typeof anyReceipt extends fc.Arbitrary<infer One> ? One : never)[],
): Receipts {
  const receipts = new Receipts(all.length);
  for (const [i, { status, sessions, detail }] of all.entries()) receipts.set(i, status, sessions, detail);
  return receipts;
}

const objects = (receipts: Receipts) =>
  Array.from({ length: receipts.length }, (_, i) => receipts.receipt(i, 'u'));

t.test('the first part is read as it was written, however much of the second has come', async (t) => {
  fc.assert(
    fc.property(anyBatch, fc.nat(200), (batch, more) => {
      const receipts = receiptsOf(batch.map(([receipt]) => receipt));
      const later = [...batch.keys()].filter((i) => batch[i]![1]);
      const first = encodeFirstPart(receipts, later);
      receipts.notePassedOn(later.filter((i) => batch[i]![2]));
      const second = encodeSecondPart(receipts, later);
      const soFar = Buffer.concat([first, second.subarray(0, more)]);
      const read = decodeFirstPart(soFar, batch.length)!;
      t.strictSame(read.later, later);
      t.equal(read.end, first.length);
      const known = [...batch.keys()].filter((i) => !batch[i]![1]);
      t.strictSame(
        objects(read.receipts),
        known.map((i) => receipts.receipt(i, 'u')),
      );
      const rest = decodeSecondPart(Buffer.concat([first, second]).subarray(read.end), later.length);
      t.strictSame(
        objects(rest),
        later.map((i) => receipts.receipt(i, 'u')),
      );
      t.strictSame(
        rest.passedOn.map((i) => later[i]),
        receipts.passedOn,
      );
    }),
    { numRuns: 100 },
  );
});

t.test('what is not whole, and an answer in one part, is no first part', async (t) => {
  const receipts = new Receipts(9);
  const first = encodeFirstPart(receipts, [0, 8]);
  for (let length = 0; length < first.length; length++)
    t.equal(decodeFirstPart(first.subarray(0, length), 9), undefined, `${length} of ${first.length} bytes`);
  t.equal(decodeFirstPart(receipts.encode(), 9), undefined);
});

t.test('what cannot be one says why', async (t) => {
  const first = encodeFirstPart(new Receipts(9), [0, 8]);
  t.throws(() => decodeFirstPart(first, 8 * first.length), {
    code: 'bad-request',
    message: /first part of the answer has \d+ bytes; it must have at least/,
  });
  for (const later of [[], [...Array(9).keys()]]) {
    t.throws(() => decodeFirstPart(encodeFirstPart(new Receipts(9), later), 9), {
      code: 'bad-request',
      message: `says that ${later.length} of 9 receipts come later; it must be some and not all`,
    });
  }
  t.throws(() => decodeSecondPart(Buffer.alloc(1), 2), { code: 'bad-request' });
  t.throws(() => decodeFirstPart(first, 10), { code: 'bad-request', message: /receipt 8 of 8 is cut off/ });
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), fc.nat(40), (bytes, length) => {
      try {
        decodeFirstPart(Buffer.concat([Buffer.from('PWP1'), bytes]), length);
      } catch (thrown) {
        if (!(thrown instanceof PinwheelError)) throw thrown;
      }
    }),
  );
  t.pass('whatever stands there, nothing else is thrown');
});
