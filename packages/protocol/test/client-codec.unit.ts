import { isUtf8 } from 'node:buffer';
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import t from 'tap';
import { clientHeadBytes, markRepeated } from '../src/client/client-frame.js';
import {
  type ClientControl,
  type ClientFrame,
  decodeClientFrame,
  decodeServerFrame,
  encodeClientFrame,
  encodeServerFrame,
  maxClientFrameBytes,
  maxMessageBytes,
  PinwheelError,
  parseClientControl,
  parseServerControl,
  type ServerControl,
  type ServerFrame,
} from '../src/client/index.js';
import { isValidUtf8 } from '../src/client/utf8.js';
import { viewClientFrame } from '../src/index.js';
import { damage, id, payload, plain, textOf, u32 } from './kit/arbitraries.js';

const clientFrame: fc.Arbitrary<ClientFrame> = fc.oneof(
  fc.tuple(u32, payload).map(([number, data]) => ({ kind: 'message', number, ...data }) as const),
  fc
    .tuple(u32, fc.boolean(), fc.boolean(), textOf(1, 256), payload)
    .map(
      ([number, waitForClient, repeated, to, data]) =>
        ({ kind: 'send', number, waitForClient, repeated, to, ...data }) as const,
    ),
  plain({ kind: fc.constant('ack' as const), welcomes: fc.nat(255), seq: u32 }),
);

const serverFrame: fc.Arbitrary<ServerFrame> = fc.oneof(
  fc.tuple(u32, id, payload).map(([seq, id, data]) => ({ kind: 'message', seq, id, ...data }) as const),
  payload.map((data) => ({ kind: 'reply', ...data }) as const),
  plain({ kind: fc.constant('taken' as const), number: u32 }),
);

const session = fc.stringMatching(/^[A-Za-z0-9_-]{16,64}$/);
const stream = textOf(1, 64);

const clientControl: fc.Arbitrary<ClientControl> = fc.oneof(
  plain({ type: fc.constant('hello' as const), session, epoch: u32 }),
  plain({
    type: fc.constant('hello' as const),
    session,
    epoch: u32,
    positions: fc.array(fc.tuple(stream, u32), { maxLength: 8 }),
  }),
  plain({ type: fc.constant('ping' as const) }),
  plain({ type: fc.constant('token' as const), token: textOf(1, 8192) }),
);

const serverControl: fc.Arbitrary<ServerControl> = fc.oneof(
  plain({
    type: fc.constant('welcome' as const),
    session,
    stream,
    seq: u32,
    recovered: fc.boolean(),
    taken: u32,
    resumeWindowMs: u32,
    maxMessageBytes: u32,
  }),
  plain({ type: fc.constantFrom('pong' as const, 'renew' as const) }),
  plain({
    type: fc.constant('receipt' as const),
    number: u32,
    receipt: fc.oneof(
      plain({ user: textOf(1, 256), status: fc.constantFrom('queued', 'offline') }),
      plain({ user: textOf(1, 256), status: fc.constant('delivered'), sessions: u32 }),
      plain({
        user: textOf(1, 256),
        status: fc.constant('overloaded'),
        error: plain({ code: fc.constantFrom('deadline', 'a-new-one'), message: textOf(0, 300) }),
      }),
    ),
  }),
);

function same(got: unknown, wanted: unknown): void {
  if (!isDeepStrictEqual(got, wanted)) throw new Error(`${JSON.stringify(got)}: ${JSON.stringify(wanted)}`);
}

/** Anything but a protocol error is thrown on. */
function survives(read: () => unknown): boolean {
  try {
    read();
    return true;
  } catch (thrown) {
    if (!(thrown instanceof PinwheelError) || thrown.code !== 'protocol') throw thrown;
    return false;
  }
}

t.test('what is encoded is decoded', async () => {
  fc.assert(
    fc.property(clientFrame, (frame) => same(decodeClientFrame(encodeClientFrame(frame)), frame)),
    { numRuns: 500 },
  );
  fc.assert(
    fc.property(clientFrame, (frame) => {
      const bytes = encodeClientFrame(frame, (length) => Buffer.alloc(length, 0xaa));
      same(viewClientFrame(bytes), decodeClientFrame(bytes, isUtf8));
      same(viewClientFrame(bytes), frame);
    }),
    { numRuns: 500 },
  );
  fc.assert(
    fc.property(serverFrame, (frame) => same(decodeServerFrame(encodeServerFrame(frame)), frame)),
    { numRuns: 500 },
  );
  fc.assert(
    fc.property(clientControl, (control) => same(parseClientControl(JSON.stringify(control)), control)),
  );
  fc.assert(
    fc.property(serverControl, (control) => same(parseServerControl(JSON.stringify(control)), control)),
  );
});

t.test('spoilt and random bytes are read, or refused as an error of the protocol', async () => {
  fc.assert(
    fc.property(clientFrame, damage, (frame, spoil) => {
      const bytes = spoil(encodeClientFrame(frame));
      // what is taken here a node takes too
      if (survives(() => decodeClientFrame(bytes))) same(decodeClientFrame(bytes), viewClientFrame(bytes));
    }),
    { numRuns: 3000 },
  );
  fc.assert(
    fc.property(serverFrame, damage, (frame, spoil) => {
      const bytes = spoil(encodeServerFrame(frame));
      survives(() => decodeServerFrame(bytes));
    }),
    { numRuns: 3000 },
  );
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
      survives(() => decodeClientFrame(bytes));
      survives(() => decodeServerFrame(bytes));
    }),
    { numRuns: 3000 },
  );
});

t.test('any text is read as a control message, or refused as an error of the protocol', async () => {
  const almost = fc
    .tuple(fc.oneof(clientControl, serverControl), fc.jsonValue({ maxDepth: 2 }), fc.nat())
    .map(([control, value, place]) => {
      const names = Object.keys(control);
      return JSON.stringify({ ...control, [names[place % names.length]!]: value });
    });
  const cut = fc
    .tuple(fc.oneof(clientControl, serverControl), fc.nat())
    .map(([control, at]) => JSON.stringify(control).slice(0, at % 200));
  fc.assert(
    fc.property(fc.oneof(fc.json(), almost, cut, fc.string()), (text) => {
      survives(() => parseClientControl(text));
      survives(() => parseServerControl(text));
    }),
    { numRuns: 3000 },
  );
});

t.test('text is valid UTF-8 exactly when Node.js says so', async () => {
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 8 }),
    fc.array(
      fc.constantFrom(0x41, 0x80, 0xa0, 0x9f, 0xbf, 0xc1, 0xc2, 0xdf, 0xe0, 0xed, 0xef, 0xf0, 0xf4, 0xf5),
      {
        maxLength: 6,
      },
    ),
    textOf(0, 60).map((text) => Buffer.from(text)),
  );
  fc.assert(
    fc.property(bytes, (units) => {
      const array = Uint8Array.from(units);
      same(isValidUtf8(array, 0, array.length), isUtf8(array));
    }),
    { numRuns: 20_000 },
  );
});

t.test('the longest message to the longest user is within the bounds', async (t) => {
  const data = new Uint8Array(maxMessageBytes);
  const to = 'é'.repeat(128);
  const bytes = encodeClientFrame({
    kind: 'send',
    number: 1,
    binary: false,
    waitForClient: false,
    repeated: false,
    to,
    data,
  });
  t.equal(bytes.length, maxClientFrameBytes);
  t.match(decodeClientFrame(bytes), { to });
});

t.test('what a later version adds to a control message is passed over', async (t) => {
  t.same(parseClientControl('{"type":"ping","at":1,"__proto__":{"type":"x"}}'), { type: 'ping' });
  t.same(parseServerControl('{"type":"pong","at":1}'), { type: 'pong' });
});

t.test('what is marked as repeated waits for its client as before', async (t) => {
  const send = { kind: 'send', number: 1, waitForClient: true, repeated: false, to: 'bob' } as const;
  for (const binary of [false, true]) {
    const bytes = encodeClientFrame({ ...send, binary, data: Uint8Array.of(65) });
    t.equal(clientHeadBytes(bytes), bytes.length - 1);
    markRepeated(bytes);
    t.match(decodeClientFrame(bytes), { ...send, binary, repeated: true });
  }
});

t.test('what is valid UTF-8 is so whoever looks, for every first and second byte', async (t) => {
  const differing: string[] = [];
  for (let first = 0x80; first <= 0xff; first++) {
    for (let second = 0; second <= 0xff; second++) {
      for (let length = 1; length <= 4; length++) {
        const bytes = Uint8Array.of(first, second, 0x80, 0xbf).subarray(0, length);
        if (isValidUtf8(bytes, 0, length) !== isUtf8(bytes))
          differing.push(Buffer.from(bytes).toString('hex'));
      }
    }
  }
  t.same(differing, []);
});
