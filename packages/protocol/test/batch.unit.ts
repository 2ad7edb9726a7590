import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import t from 'tap';
import {
  BatchWriter,
  batchedBytes,
  decodeBatch,
  maxBatchBytes,
  maxBatchMessages,
  maxMessageBytes,
  type OutgoingMessage,
  PinwheelError,
} from '../src/index.js';

const user = fc
  .string({ unit: 'binary', minLength: 1, maxLength: 80 })
  .filter((text) => text.isWellFormed() && Buffer.byteLength(text) <= 256);
const id = fc.stringMatching(/^[\x21-\x7e]{1,64}$/);
const text = fc.string({ unit: 'binary', maxLength: 200 }).filter((data) => data.isWellFormed());
const message: fc.Arbitrary<OutgoingMessage> = fc.oneof(
  fc.record({
    user,
    id,
    data: text,
    binary: fc.boolean(),
    waitForClient: fc.boolean(),
    repeated: fc.boolean(),
  }),
  fc.record({
    user,
    id,
    data: fc.uint8Array({ maxLength: 200 }),
    binary: fc.constant(true),
    waitForClient: fc.boolean(),
    repeated: fc.boolean(),
  }),
);

/** What a reader of the batch has to see. */
function read({ data, ...rest }: OutgoingMessage) {
  return { ...rest, data: Buffer.from(typeof data === 'string' ? Buffer.from(data) : data) };
}

function decoded(bytes: Buffer) {
  return decodeBatch(bytes).map((each) => ({ ...each, data: Buffer.from(each.data) }));
}

/** Decodes and says whether that was possible; anything but a PinwheelError is thrown on. */
function tryDecode(bytes: Buffer): boolean {
  try {
    decodeBatch(bytes);
    return true;
  } catch (thrown) {
    if (thrown instanceof PinwheelError) return false;
    throw thrown;
  }
}

t.test('what is written is read, with one writer for all of them', async () => {
  const writer = new BatchWriter();
  fc.assert(
    fc.property(fc.array(message, { maxLength: 20 }), (messages) => {
      const bytes = writer.write(messages);
      const most = messages.reduce((sum, each) => sum + batchedBytes(each), 4);
      if (bytes.length > most) throw new Error(`${bytes.length} bytes, the bound said ${most}`);
      if (!isDeepStrictEqual(decoded(Buffer.from(bytes)), messages.map(read)))
        throw new Error('not the same');
    }),
    { numRuns: 300 },
  );
});

t.test('bytes that are not a batch are refused and never break the reader', async () => {
  const writer = new BatchWriter();
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), fc.boolean(), (bytes, withMagic) => {
      tryDecode(Buffer.concat([Buffer.from(withMagic ? 'PWB1' : ''), bytes]));
    }),
    { numRuns: 1000 },
  );
  fc.assert(
    fc.property(
      fc.array(message, { minLength: 1, maxLength: 5 }),
      fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 }),
      fc.nat(),
      (messages, changes, cut) => {
        const bytes = Buffer.from(writer.write(messages));
        for (const [at, value] of changes) bytes[at % bytes.length] = value;
        tryDecode(bytes);
        tryDecode(bytes.subarray(0, cut % bytes.length));
      },
    ),
    { numRuns: 1000 },
  );
});

t.test('a message that was taken can be written again as it is', async () => {
  const writer = new BatchWriter();
  fc.assert(
    fc.property(
      fc.array(message, { minLength: 1, maxLength: 5 }),
      fc.nat(),
      fc.nat(255),
      (messages, at, value) => {
        const bytes = Buffer.from(writer.write(messages));
        bytes[at % bytes.length] = value;
        if (!tryDecode(bytes)) return;
        const once = decoded(bytes);
        if (!isDeepStrictEqual(decoded(Buffer.from(writer.write(once))), once))
          throw new Error('not the same');
      },
    ),
    { numRuns: 1000 },
  );
});

t.test('each fault is named with the message’s place', async (t) => {
  const fine = { user: 'ann', data: 'x', binary: false, id: 'i', waitForClient: false, repeated: false };
  const write = (...messages: OutgoingMessage[]) => Buffer.from(new BatchWriter().write(messages));
  const broken = (change: (bytes: Buffer) => void): Buffer => {
    const first = write(fine);
    const second = write(fine).subarray(4);
    change(second);
    return Buffer.concat([first, second]);
  };
  const cases: readonly (readonly [Buffer, string, RegExp])[] = [
    [Buffer.from(''), 'bad-request', /PWB1/],
    [Buffer.from('PWB2'), 'bad-request', /PWB1/],
    [Buffer.concat([write(fine), Buffer.from('abc')]), 'bad-request', /^message 2 .*head is cut off/],
    [write(fine).subarray(0, -1), 'bad-request', /^message 1 .*ends 1 bytes after/],
    [broken((bytes) => bytes.writeUInt32LE(0xffffffff, 4)), 'bad-request', /^message 2 .*after the batch/],
    [broken((bytes) => bytes.writeUInt8(8, 0)), 'bad-request', /^message 2 .*flags are 8/],
    [broken((bytes) => bytes.writeUInt8(0xff, 8)), 'bad-user', /^message 2 .*not valid UTF-8/],
    [broken((bytes) => bytes.writeUInt8(0xff, 11)), 'bad-request', /^message 2 .*id is not printable/],
    [broken((bytes) => bytes.writeUInt8(0x20, 11)), 'bad-request', /^message 2 .*id is not printable/],
    [broken((bytes) => bytes.writeUInt8(0xff, 12)), 'bad-request', /^message 2 .*text.*not valid UTF-8/],
    [write({ ...fine, user: '' }), 'bad-user', /user has 0 bytes/],
    [write({ ...fine, user: 'x'.repeat(257) }), 'bad-user', /user has 257 bytes/],
    [write({ ...fine, id: '' }), 'bad-request', /id has 0 bytes/],
    [write({ ...fine, id: 'x'.repeat(65) }), 'bad-request', /id has 65 bytes/],
    [
      write({ ...fine, data: 'x'.repeat(maxMessageBytes + 1) }),
      'too-large',
      /1048577 bytes.*at most 1048576/,
    ],
    [write(...Array.from({ length: maxBatchMessages + 1 }, () => fine)), 'too-large', /more than 16384/],
    [Buffer.alloc(maxBatchBytes + 1), 'too-large', /16777217 bytes/],
  ];
  for (const [bytes, code, message] of cases) {
    t.throws(() => decodeBatch(bytes), { name: 'PinwheelError', code, message }, String(message));
  }
  t.equal(decodeBatch(write({ ...fine, data: 'x'.repeat(maxMessageBytes) })).length, 1);
  t.equal(
    decodeBatch(write(...Array.from({ length: maxBatchMessages }, () => fine))).length,
    maxBatchMessages,
  );
});

t.test('payloads are views into the batch, wherever that lies in its memory', async (t) => {
  const bytes = Buffer.from(
    new BatchWriter().write([
      { user: 'a', data: 'xyz', binary: false, id: 'i', waitForClient: false, repeated: false },
    ]),
  );
  const offset = Buffer.concat([Buffer.alloc(13), bytes]).subarray(13);
  const [only] = decodeBatch(offset);
  t.equal(Buffer.from(only?.data ?? []).toString(), 'xyz');
  t.equal(only?.data.buffer, offset.buffer);
});
