import fc from 'fast-check';
import t from 'tap';
import {
  BatchWriter,
  decodeBatch,
  everybodyFrame,
  maxMessageBytes,
  type OutgoingMessage,
  PinwheelError,
  type QueueFrame,
  queueHeadBytes,
  readQueueFrame,
  writeMessagesHead,
} from '../src/index.js';
import { damage, payload, textOf } from './kit/arbitraries.js';

const outgoing: fc.Arbitrary<OutgoingMessage & { readonly data: Uint8Array }> = fc
  .tuple(textOf(1, 80), fc.stringMatching(/^[\x21-\x7e]{1,64}$/), payload, fc.boolean())
  .map(([user, id, sent, repeated]) => ({ user, id, ...sent, waitForClient: false, repeated }));
const messages = fc.array(outgoing, { maxLength: 20 });
const frame: fc.Arbitrary<Buffer> = fc.oneof(
  messages.map(messagesFrame),
  payload.map(({ data, binary }) => Buffer.from(everybodyFrame(data, binary))),
);

function messagesFrame(batch: readonly OutgoingMessage[]): Buffer {
  const bytes = new BatchWriter(queueHeadBytes).write(batch);
  writeMessagesHead(bytes);
  return Buffer.from(bytes);
}

/** Reads all of it as a node does; anything but a PinwheelError is thrown on. */
function tryRead(bytes: Buffer): QueueFrame | undefined {
  try {
    const read = readQueueFrame(bytes);
    if (read.kind === 'messages') decodeBatch(read.batch);
    return read;
  } catch (thrown) {
    if (thrown instanceof PinwheelError) return undefined;
    throw thrown;
  }
}

function refused(bytes: readonly number[] | Buffer, code: string, message: string | RegExp) {
  return () => {
    t.throws(() => readQueueFrame(Buffer.from(bytes)), { code, message }, String(message));
  };
}

t.test('messages that are written are read, with one writer for all of them', async () => {
  const writer = new BatchWriter(queueHeadBytes);
  fc.assert(
    fc.property(messages, (batch) => {
      const bytes = writer.write(batch);
      writeMessagesHead(bytes);
      const read = readQueueFrame(Buffer.from(bytes));
      if (read.kind !== 'messages') return false;
      const found = decodeBatch(read.batch);
      return (
        found.length === batch.length &&
        found.every(({ data, ...rest }, i) => {
          const { data: sent, ...wanted } = batch[i]!;
          return Buffer.compare(data, sent) === 0 && JSON.stringify(rest) === JSON.stringify(pick(wanted));
        })
      );
    }),
  );
});

t.test('what is for everybody is read as it was written', async () => {
  fc.assert(
    fc.property(payload, ({ data, binary }) => {
      const read = readQueueFrame(Buffer.from(everybodyFrame(data, binary)));
      return read.kind === 'everybody' && read.binary === binary && Buffer.compare(read.data, data) === 0;
    }),
  );
});

t.test('the bytes are as they are documented', async (t) => {
  t.same(
    [...everybodyFrame(Buffer.from('hi'), false)],
    [...Buffer.from('PWQ'), 1, 2, 0, ...Buffer.from('hi')],
  );
  t.same([...everybodyFrame(Buffer.of(7), true)], [...Buffer.from('PWQ'), 1, 2, 1, 7]);
  const message = { user: 'a', id: 'i', binary: false, data: 'x', waitForClient: false, repeated: true };
  t.same(
    [...messagesFrame([message])],
    [...Buffer.from('PWQ'), 1, 1, ...Buffer.from('PWB1'), 4, 1, 0, 1, 1, 0, 0, 0, ...Buffer.from('aix')],
  );
});

t.test('random bytes are read or refused, and nothing else', async () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      tryRead(Buffer.from(bytes));
      tryRead(Buffer.concat([Buffer.from('PWQ\u0001\u0001'), bytes]));
      tryRead(Buffer.concat([Buffer.from('PWQ\u0001\u0001PWB1'), bytes]));
      tryRead(Buffer.concat([Buffer.from('PWQ\u0001\u0002'), bytes]));
    }),
    { numRuns: 2000 },
  );
});

t.test('spoilt frames are read or refused, and nothing else', async () => {
  fc.assert(
    fc.property(frame, damage, (bytes, spoil) => {
      tryRead(Buffer.from(spoil(bytes)));
    }),
    { numRuns: 2000 },
  );
});

t.test('what cannot be read is refused by name', async (t) => {
  const head = [...Buffer.from('PWQ')];
  const begin = 'the post does not begin with PWQ, version and kind';
  t.test('nothing', async () => refused([], 'bad-request', begin)());
  t.test('a head cut off', async () => refused([...head, 1], 'bad-request', begin)());
  t.test('something else', async () => refused(Buffer.from('hello'), 'bad-request', begin)());
  t.test('another version', async () =>
    refused([...head, 2, 1], 'bad-request', 'the post has version 2; known: 1')(),
  );
  t.test('another kind', async () =>
    refused([...head, 1, 9], 'bad-request', 'the post is of kind 9; known: 1 messages, 2 everybody')(),
  );
  t.test('no flags', async () =>
    refused([...head, 1, 2], 'bad-request', 'the post to everybody has flags undefined; known: 0, 1')(),
  );
  t.test('other flags', async () =>
    refused([...head, 1, 2, 2], 'bad-request', 'the post to everybody has flags 2; known: 0, 1')(),
  );
  t.test('text that is none', async () =>
    refused([...head, 1, 2, 0, 0xff], 'bad-request', 'the post to everybody is text and not valid UTF-8')(),
  );
  t.test('too much', async () => {
    const large = Buffer.from(everybodyFrame(Buffer.alloc(maxMessageBytes + 1), true));
    refused(
      large,
      'too-large',
      `data has ${maxMessageBytes + 1} bytes; it must have at most ${maxMessageBytes}`,
    )();
  });
  t.test('the most is read', async (t) => {
    t.match(readQueueFrame(Buffer.from(everybodyFrame(Buffer.alloc(maxMessageBytes), true))), {
      binary: true,
    });
  });
});

t.test('a filter: each user is asked for in order, and only what is wanted is read', async () => {
  fc.assert(
    fc.property(messages, fc.func(fc.boolean()), (batch, isWanted) => {
      const asked: string[] = [];
      const { batch: bytes } = readQueueFrame(messagesFrame(batch)) as { batch: Buffer };
      const found = decodeBatch(bytes, (user) => {
        asked.push(user);
        return isWanted(user);
      });
      const wanted = batch.filter(({ user }) => isWanted(user));
      return (
        asked.join('\n') === batch.map(({ user }) => user).join('\n') &&
        found.map(({ id }) => id).join(' ') === wanted.map(({ id }) => id).join(' ')
      );
    }),
  );
});

t.test('a filter: what nobody wants may be wrong inside, but not in its length', async (t) => {
  const broken = {
    user: 'a',
    id: 'i',
    binary: false,
    data: Buffer.of(0xff),
    waitForClient: false,
    repeated: false,
  };
  const { batch } = readQueueFrame(messagesFrame([broken, { ...broken, user: 'b', data: 'fine' }])) as {
    batch: Buffer;
  };
  t.throws(() => decodeBatch(batch), {
    code: 'bad-request',
    message: /message 1 of the batch: .* not valid UTF-8/,
  });
  t.match(
    decodeBatch(batch, (user) => user === 'b').map(({ user }) => user),
    ['b'],
  );
  t.throws(() => decodeBatch(batch.subarray(0, -1), () => false), {
    message: 'message 2 of the batch: it ends 1 bytes after the batch',
  });
});

/** In the order in which a decoder says it. */
function pick({ user, binary, id, waitForClient, repeated }: Omit<OutgoingMessage, 'data'>) {
  return { user, binary, id, waitForClient, repeated };
}
