import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import t from 'tap';
import {
  EdgeFrameWriter,
  maxLinkMessageBytes,
  maxMessageBytes,
  NodeFrameWriter,
  PinwheelError,
  type Receipt,
  readEdgeFrames,
  readNodeFrames,
} from '../src/index.js';
import { damage } from './kit/arbitraries.js';
import { edgeCall, edgeRecorder, nodeCall, nodeRecorder, write } from './kit/link-calls.js';

function edgeCalls(bytes: Uint8Array) {
  const { calls, frames } = edgeRecorder();
  readEdgeFrames(bytes, frames);
  return calls;
}

function nodeCalls(bytes: Uint8Array) {
  const { calls, frames } = nodeRecorder();
  readNodeFrames(bytes, frames);
  return calls;
}

function same(got: unknown, wanted: unknown): void {
  if (!isDeepStrictEqual(got, wanted)) {
    throw new Error(`${JSON.stringify(got)} is not ${JSON.stringify(wanted)}`);
  }
}

/** Anything but a protocol error is thrown on. */
function survives(read: () => unknown): void {
  try {
    read();
  } catch (thrown) {
    if (!(thrown instanceof PinwheelError) || thrown.code !== 'protocol') throw thrown;
  }
}

t.test('what an edge writes is what a node reads, any number of frames in a message', async () => {
  const writer = new EdgeFrameWriter();
  fc.assert(
    fc.property(fc.array(edgeCall, { minLength: 1, maxLength: 12 }), (calls) => {
      write(writer, calls);
      same(edgeCalls(writer.take()), calls);
    }),
    { numRuns: 500 },
  );
});

t.test('what a node writes is what an edge reads, any number of frames in a message', async () => {
  const writer = new NodeFrameWriter();
  fc.assert(
    fc.property(fc.array(nodeCall, { minLength: 1, maxLength: 12 }), (calls) => {
      write(writer, calls);
      same(nodeCalls(writer.take()), calls);
    }),
    { numRuns: 500 },
  );
});

t.test('spoilt messages are read, or refused as an error of the protocol', async () => {
  const edge = new EdgeFrameWriter();
  fc.assert(
    fc.property(fc.array(edgeCall, { minLength: 1, maxLength: 4 }), damage, (calls, spoil) => {
      write(edge, calls);
      const bytes = spoil(edge.take());
      survives(() => edgeCalls(bytes));
    }),
    { numRuns: 2000 },
  );
  const node = new NodeFrameWriter();
  const { frames } = nodeRecorder();
  // an id is read by clients only
  const reader = { ...frames, message: () => {} };
  fc.assert(
    fc.property(fc.array(nodeCall, { minLength: 1, maxLength: 4 }), damage, (calls, spoil) => {
      write(node, calls);
      const bytes = spoil(node.take());
      survives(() => readNodeFrames(bytes, reader));
    }),
    { numRuns: 2000 },
  );
});

t.test('any bytes are read, or refused as an error of the protocol', async () => {
  const type = fc.oneof(fc.integer({ min: 0, max: 12 }), fc.integer({ min: 128, max: 139 }), fc.nat(255));
  const body = fc.oneof(fc.uint8Array({ maxLength: 60 }), fc.array(fc.nat(3), { maxLength: 60 }));
  const framed = fc.array(fc.tuple(type, body), { maxLength: 3 }).map((frames) =>
    Buffer.concat(
      frames.map(([type, body]) => {
        const head = Buffer.from([type, 0, 0, 0, 0]);
        head.writeUInt32LE(body.length, 1);
        return Buffer.concat([head, Uint8Array.from(body)]);
      }),
    ),
  );
  const { frames } = nodeRecorder();
  const reader = { ...frames, message: () => {} };
  fc.assert(
    fc.property(fc.oneof(framed, fc.uint8Array({ maxLength: 80 })), (bytes) => {
      survives(() => edgeCalls(bytes));
      survives(() => readNodeFrames(bytes, reader));
    }),
    { numRuns: 5000 },
  );
});

t.test('what comes before a broken frame has been handed over', async (t) => {
  const writer = new EdgeFrameWriter();
  writer.ack(1, 2);
  writer.pause(1);
  const bytes = Buffer.concat([writer.take(), Buffer.from([99, 0, 0, 0, 0])]);
  const { calls, frames } = edgeRecorder();
  t.throws(() => readEdgeFrames(bytes, frames), { code: 'protocol', message: /^frame 3: its type is 99/ });
  t.same(calls, [
    ['ack', 1, 2],
    ['pause', 1],
  ]);
});

t.test('data is a view into the link message, wherever that lies in its memory', async (t) => {
  const writer = new NodeFrameWriter();
  writer.message(7, 1, 'm1', false, Buffer.from('data'));
  writer.reply(7, true, Buffer.from('reply'));
  const bytes = Buffer.concat([Buffer.alloc(13), writer.take()]).subarray(13);
  let seen = 0;
  readNodeFrames(bytes, {
    ...nodeRecorder().frames,
    message: (session, seq, binary, frame) => {
      t.same([session, seq, binary], [7, 1, false]);
      t.equal(Buffer.from(frame.data()).toString(), 'data');
      t.equal(frame.whole().buffer, bytes.buffer);
      seen++;
    },
    reply: (_session, _binary, frame) => {
      t.equal(Buffer.from(frame.data()).toString(), 'reply');
      t.equal(frame.whole().buffer, bytes.buffer);
      seen++;
    },
  });
  t.equal(seen, 2);
});

t.test('a writer', async (t) => {
  const data = Buffer.alloc(maxMessageBytes, 'x');

  t.test('counts what it has, gives it away once, and goes on with the same memory', async (t) => {
    const writer = new NodeFrameWriter();
    t.equal(writer.bytes, 0);
    t.equal(writer.take().length, 0);
    writer.ping(1);
    t.equal(writer.bytes, 9);
    const first = writer.take();
    t.equal(first.length, 9);
    t.equal(writer.bytes, 0);
    writer.ping(2);
    const second = writer.take();
    t.equal(second.buffer, first.buffer);
    t.same(nodeCalls(second), [['ping', 2]]);
  });

  t.test('leaves out a frame that is out of bounds, and keeps those before and after it', async (t) => {
    const writer = new EdgeFrameWriter();
    writer.pause(1);
    t.throws(() => writer.closed(1, 1000, 'x'.repeat(124)), { code: 'protocol' });
    t.throws(() => writer.closed(1, 999, ''), { code: 'protocol' });
    for (const number of [-1, 1.5, 4_294_967_296, Number.NaN]) {
      t.throws(() => writer.ack(1, number), { code: 'protocol', message: /it must be a whole number/ });
      t.throws(() => writer.pause(number), { code: 'protocol', message: /^PAUSE: a number is/ });
    }
    writer.continue(1);
    t.same(edgeCalls(writer.take()), [
      ['pause', 1],
      ['continue', 1],
    ]);
  });

  t.test('takes no more than a link message may have', async (t) => {
    const writer = new NodeFrameWriter();
    let written = 0;
    const fill = () => {
      for (;;) {
        writer.message(1, written + 1, 'id', true, data);
        written++;
      }
    };
    t.throws(fill, { code: 'overloaded', message: /at most 16777216: take it first/ });
    t.equal(written, 15);
    t.ok(writer.bytes <= maxLinkMessageBytes);
    t.equal(nodeCalls(writer.take()).length, 15);
    writer.message(1, 16, 'id', true, data);
    t.equal(nodeCalls(writer.take()).length, 1);
  });

  t.test('lets go of the memory of a rare huge message, and keeps it while it is needed', async (t) => {
    const writer = new NodeFrameWriter();
    const memoryOf = (write: () => void): number => {
      write();
      return writer.take().buffer.byteLength;
    };
    const huge = () => {
      for (let i = 0; i < 8; i++) writer.message(1, i, 'id', true, data);
    };
    const small = () => writer.ping(1);
    t.ok(memoryOf(huge) > 8 * maxMessageBytes);
    t.ok(memoryOf(small) > 8 * maxMessageBytes, 'not at once');
    t.ok(memoryOf(huge) > 8 * maxMessageBytes);
    let takes = 0;
    while (memoryOf(small) > 65_536) takes++;
    t.ok(takes <= 8, `after ${takes} small ones`);
    t.ok(memoryOf(huge) > 8 * maxMessageBytes, 'and grows again');
  });
});

t.test('a receipt that is too long loses all but the beginning of its error', async (t) => {
  const writer = new NodeFrameWriter();
  const long: Receipt = {
    user: 'u',
    status: 'overloaded',
    owner: 'n2',
    error: { code: 'deadline', message: 'y'.repeat(20_000) },
  };
  writer.receipt(1, 2, long);
  t.same(nodeCalls(writer.take()), [
    [
      'receipt',
      1,
      2,
      { user: 'u', status: 'overloaded', error: { code: 'deadline', message: 'y'.repeat(1000) } },
    ],
  ]);
});
