import t from 'tap';
import {
  type AttachRequest,
  EdgeFrameWriter,
  encodeClientFrame,
  maxMessageBytes,
  NodeFrameWriter,
  type Receipt,
  readEdgeFrames,
  readNodeFrames,
} from '../src/index.js';
import { edgeRecorder, nodeRecorder } from './kit/link-calls.js';

type Fault = readonly [situation: string, bytes: Uint8Array, message: RegExp];

const u16 = (value: number) => Buffer.from([value, value >>> 8]);
const u32 = (value: number) => Buffer.concat([u16(value), u16(value >>> 16)]);
const str = (value: string | Uint8Array) => {
  const bytes = Buffer.from(value as string);
  return Buffer.concat([u16(bytes.length), bytes]);
};
const x = (count: number) => 'x'.repeat(count);
const notUtf8 = Buffer.from([0xc3, 0x28]);

function frame(type: number, ...body: readonly (Uint8Array | number)[]): Buffer {
  const bytes = Buffer.concat(body.map((part) => (typeof part === 'number' ? Buffer.from([part]) : part)));
  return Buffer.concat([Buffer.from([type]), u32(bytes.length), bytes]);
}

function attach(change: {
  readonly flags?: number;
  readonly key?: string;
  readonly user?: string | Uint8Array;
  readonly fingerprint?: string;
  readonly handoff?: string;
  readonly streams?: readonly string[];
  readonly count?: number;
}): Buffer {
  const { flags = 0, key = 'k', user = 'u', fingerprint = '', handoff = '', streams = [] } = change;
  const texts = [key, user, fingerprint, handoff].map(str);
  const positions = streams.flatMap((stream) => [str(stream), u32(1)]);
  return frame(2, u32(7), flags, u32(1), ...texts, change.count ?? streams.length, ...positions);
}

const ofBoth: readonly Fault[] = [
  ['no frame at all', Buffer.alloc(0), /^the link message has no frame$/],
  ['more than a link message has', Buffer.alloc(16_777_217), /16777217 bytes; .* at most 16777216/],
  ['a head that is cut off', Buffer.from([9, 4, 0, 0]), /^frame 1, PING: its head is cut off/],
  ['a body that is cut off', frame(9, u32(1)).subarray(0, -1), /^frame 1, PING: it ends 1 bytes after/],
  [
    'a length beyond everything',
    Buffer.from([9, 0xff, 0xff, 0xff, 0xff]),
    /^frame 1, PING: it ends 4294967295 bytes after the link message/,
  ],
  ['the type 0', frame(0), /^frame 1: its type is 0, which is unknown/],
  ['an unknown type', frame(12), /^frame 1: its type is 12, which is unknown/],
];

const ofEdges: readonly Fault[] = [
  ['a frame of a node', frame(132, u32(7), 1, u32(1), 0), /^frame 1: its type is 132, which is unknown/],
  ['a field that is cut off', frame(4, u32(7), 1), /^frame 1, ACK: it ends 3 bytes before the end of seq/],
  ['bytes too many', frame(4, u32(7), u32(1), 1), /^frame 1, ACK: 1 bytes follow its last field/],
  ['HELLO without an edge', frame(1, 1, str(''), str('i')), /HELLO: edge has 0 bytes; it must have 1 to 64/],
  ['HELLO, long edge', frame(1, 1, str(x(65)), str('i')), /edge has 65 bytes; it must have 1 to 64/],
  ['HELLO, long incarnation', frame(1, 1, str('e'), str(x(65))), /incarnation has 65 bytes; .* 1 to 64/],
  ['ATTACH, flags', attach({ flags: 4 }), /ATTACH: flags are 4; known are 3/],
  ['ATTACH, no key', attach({ key: '' }), /key has 0 bytes; it must have 1 to 64/],
  ['ATTACH, long key', attach({ key: x(65) }), /key has 65 bytes; it must have 1 to 64/],
  ['ATTACH, no user', attach({ user: '' }), /user has 0 bytes; it must have 1 to 256/],
  ['ATTACH, long user', attach({ user: x(257) }), /user has 257 bytes; it must have 1 to 256/],
  ['ATTACH, user not UTF-8', attach({ user: notUtf8 }), /user is not valid UTF-8/],
  ['ATTACH, fingerprint', attach({ fingerprint: x(65) }), /fingerprint has 65 bytes; .* 0 to 64/],
  ['ATTACH, handoff', attach({ handoff: x(129) }), /handoff has 129 bytes; it must have 0 to 128/],
  [
    'ATTACH, nine positions',
    attach({ streams: Array(9).fill('s') }),
    /it has 9 positions; it must have at most 8/,
  ],
  ['ATTACH, no stream', attach({ streams: [''] }), /stream has 0 bytes; it must have 1 to 64/],
  ['ATTACH, long stream', attach({ streams: [x(65)] }), /stream has 65 bytes; it must have 1 to 64/],
  ['ATTACH, fewer positions', attach({ count: 1 }), /it ends 2 bytes before the end of stream/],
  ['CLOSED, code', frame(8, u32(7), u16(999), str('')), /CLOSED: code is 999; it must be 1000 to 4999/],
  ['CLOSED, code', frame(8, u32(7), u16(5000), str('')), /CLOSED: code is 5000; it must be 1000 to 4999/],
  ['CLOSED, reason', frame(8, u32(7), u16(1000), str(x(124))), /reason has 124 bytes; .* 0 to 123/],
  ['CLIENT, empty', frame(3, u32(7)), /it is empty/],
  ['CLIENT, kind', frame(3, u32(7), 6, u32(1)), /kind 6 is unknown/],
  ['CLIENT, ACK', frame(3, u32(7), 5, 1, u32(1)), /CLIENT: .* is an ACK; it must be a MESSAGE or a SEND/],
  ['CLIENT, MESSAGE cut off', frame(3, u32(7), 1, u16(1)), /MESSAGE: it has 3 bytes; .* at least 5/],
  ['CLIENT, text', frame(3, u32(7), 1, u32(1), notUtf8), /CLIENT: its data is text, and not valid UTF-8/],
  [
    'CLIENT, text of a SEND',
    frame(3, u32(7), 3, u32(1), 0, str('u'), notUtf8),
    /CLIENT: its data is text, and not valid UTF-8/,
  ],
  ['CLIENT, SEND cut off', frame(3, u32(7), 3, u32(1), 0, 1), /SEND: it has 7 bytes; .* at least 8/],
  ['CLIENT, to cut off', frame(3, u32(7), 3, u32(1), 0, u16(3), 65), /SEND: it has 9 bytes; .* at least 11/],
  ['CLIENT, no to', frame(3, u32(7), 3, u32(1), 0, str('')), /to has 0 bytes; it must have 1 to 256/],
  ['CLIENT, long to', frame(3, u32(7), 3, u32(1), 0, str(x(257))), /to has 257 bytes; .* 1 to 256/],
  ['CLIENT, to not UTF-8', frame(3, u32(7), 3, u32(1), 0, str(notUtf8)), /to is not valid UTF-8/],
  ['CLIENT, flags', frame(3, u32(7), 3, u32(1), 1, str('u')), /its flags are 1; known are 6/],
  [
    'CLIENT, long data',
    frame(3, u32(7), 2, u32(1), Buffer.alloc(maxMessageBytes + 1)),
    /data has 1048577 bytes; it must have at most 1048576/,
  ],
  [
    'CLIENT, long data of a SEND',
    frame(3, u32(7), 4, u32(1), 0, str('u'), Buffer.alloc(maxMessageBytes + 1)),
    /data has 1048577 bytes; it must have at most 1048576/,
  ],
];

const receipt = (json: string | Uint8Array) => frame(135, u32(7), u32(1), Buffer.from(json as string));

const ofNodes: readonly Fault[] = [
  ['a frame of an edge', frame(4, u32(7), u32(1)), /^frame 1: its type is 4, which is unknown/],
  ['HELLO, long node', frame(129, 1, str(x(65)), str('i')), /node has 65 bytes; it must have 1 to 64/],
  ['ATTACHED, flags', frame(130, u32(7), 2), /ATTACHED: flags are 2; known are 1/],
  [
    'ATTACHED, stream',
    frame(130, u32(7), 1, u32(1), u32(1), u32(1), str('')),
    /stream has 0 bytes; it must have 1 to 64/,
  ],
  ['REPIN, to', frame(131, u32(7), str(x(65)), str('')), /to has 65 bytes; it must have 0 to 64/],
  ['REPIN, handoff', frame(131, u32(7), str('n'), str(x(129))), /handoff has 129 bytes; .* 0 to 128/],
  ['MESSAGE, cut off', frame(132, u32(7), 1, u32(1)), /MESSAGE: it ends 1 bytes before the end of id/],
  ['MESSAGE, kind', frame(132, u32(7), 3, u32(1), 0), /MESSAGE: its kind is 3; it must be 1 or 2/],
  [
    'MESSAGE, id cut off',
    frame(132, u32(7), 1, u32(1), 2, 65),
    /MESSAGE: it ends 1 bytes before the end of id/,
  ],
  [
    'MESSAGE, long id',
    frame(132, u32(7), 1, u32(1), 65, Buffer.from(x(65))),
    /id has 65 bytes; it must have at most 64/,
  ],
  [
    'MESSAGE, long data',
    frame(132, u32(7), 2, u32(1), 0, Buffer.alloc(maxMessageBytes + 1)),
    /MESSAGE: data has 1048577 bytes; it must have at most 1048576/,
  ],
  ['REPLY, empty', frame(133, u32(7)), /REPLY: it ends 1 bytes before the end of kind/],
  ['REPLY, kind', frame(133, u32(7), 1), /REPLY: its kind is 1; it must be 3 or 4/],
  [
    'REPLY, long data',
    frame(133, u32(7), 4, Buffer.alloc(maxMessageBytes + 1)),
    /REPLY: data has 1048577 bytes; it must have at most 1048576/,
  ],
  ['CLOSE, code', frame(136, u32(7), u16(0), str('')), /CLOSE: code is 0; it must be 1000 to 4999/],
  ['CLOSE, reason', frame(136, u32(7), u16(4500), str(x(124))), /reason has 124 bytes; .* 0 to 123/],
  ['RECEIPT, long', receipt(x(16_385)), /RECEIPT: the receipt has 16385 bytes; .* at most 16384/],
  ['RECEIPT, not UTF-8', receipt(notUtf8), /the receipt is not valid UTF-8/],
  ['RECEIPT, not JSON', receipt('{'), /the receipt is not JSON/],
  ['RECEIPT, not an object', receipt('null'), /the receipt is not an object/],
  ['RECEIPT, user', receipt('{"status":"queued"}'), /user/],
  ['RECEIPT, status', receipt('{"user":"u","status":"lost"}'), /unknown status/],
  ['RECEIPT, sessions', receipt('{"user":"u","status":"delivered","sessions":1.5}'), /sessions/],
  ['RECEIPT, seq', receipt('{"user":"u","status":"queued","seq":-1}'), /seq/],
  ['RECEIPT, stream', receipt('{"user":"u","status":"queued","stream":7}'), /stream/],
  ['RECEIPT, error', receipt('{"user":"u","status":"overloaded","error":null}'), /error/],
];

t.test('each fault of a frame is an error of the protocol that names the field and the bound', async (t) => {
  for (const [situation, bytes, message] of [...ofBoth, ...ofEdges]) {
    const read = () => readEdgeFrames(bytes, edgeRecorder().frames);
    t.throws(read, { name: 'PinwheelError', code: 'protocol', message }, `from an edge: ${situation}`);
  }
  for (const [situation, bytes, message] of ofNodes) {
    const read = () => readNodeFrames(bytes, nodeRecorder().frames);
    t.throws(read, { name: 'PinwheelError', code: 'protocol', message }, `from a node: ${situation}`);
  }
});

t.test('what is just within the bounds crosses the link', async (t) => {
  const edge = new EdgeFrameWriter();
  const { calls, frames } = edgeRecorder();
  const request: AttachRequest = {
    session: 0xffffffff,
    acknowledges: true,
    resumes: true,
    epoch: 0xffffffff,
    key: x(64),
    user: 'é'.repeat(128),
    fingerprint: x(64),
    handoff: x(128),
    positions: Array.from({ length: 8 }, () => ({ stream: '€'.repeat(21), seq: 0xffffffff })),
  };
  const send = {
    kind: 'send',
    number: 1,
    binary: true,
    waitForClient: true,
    repeated: false,
    to: x(256),
  } as const;
  const longest = encodeClientFrame({ ...send, data: new Uint8Array(maxMessageBytes) });
  edge.attach(request);
  edge.client(1, longest);
  edge.closed(1, 4999, x(123));
  readEdgeFrames(edge.take(), frames);
  t.same(calls[0], ['attach', request]);
  t.ok(Buffer.from(calls[1]![1 + 1] as Uint8Array).equals(longest));
  t.same(calls[2], ['closed', 1, 4999, x(123)]);

  const node = new NodeFrameWriter();
  const taken = nodeRecorder();
  const data = new Uint8Array(maxMessageBytes);
  node.message(1, 2, x(64), false, data);
  node.reply(1, true, data);
  readNodeFrames(node.take(), taken.frames);
  t.equal(taken.calls.length, 2);
});

t.test('a writer refuses what the other side would close the link for', async (t) => {
  const edge = new EdgeFrameWriter();
  const node = new NodeFrameWriter();
  const request: AttachRequest = {
    session: 1,
    acknowledges: false,
    resumes: false,
    epoch: 1,
    key: 'k',
    user: 'u',
    fingerprint: '',
    handoff: '',
    positions: [],
  };
  const long = new Uint8Array(maxMessageBytes + 1);
  const cases: readonly (readonly [() => void, RegExp])[] = [
    [() => edge.hello(1, '', 'i'), /HELLO: edge has 0 bytes; it must have 1 to 64/],
    [() => edge.attach({ ...request, key: '' }), /ATTACH: key has 0 bytes; it must have 1 to 64/],
    [() => edge.attach({ ...request, user: 'é'.repeat(129) }), /user has 258 bytes; it must have 1 to 256/],
    [() => edge.attach({ ...request, handoff: x(1_000_000) }), /handoff has 1000000 bytes; .* 0 to 128/],
    [
      () => edge.attach({ ...request, positions: Array(9).fill({ stream: 's', seq: 1 }) }),
      /ATTACH: it has 9 positions; it must have at most 8/,
    ],
    [
      () => edge.client(1, new Uint8Array(maxMessageBytes + 265)),
      /CLIENT: data has 1048841 bytes; .* 1048840/,
    ],
    [() => edge.closed(1, Number.NaN, ''), /CLOSED: code is NaN; it must be 1000 to 4999/],
    [() => node.message(1, 1, x(65), false, Buffer.alloc(1)), /MESSAGE: id has 65 bytes; .* 0 to 64/],
    [() => node.message(1, 1, 'i', true, long), /MESSAGE: data has 1048577 bytes; .* 0 to 1048576/],
    [() => node.reply(1, true, long), /REPLY: data has 1048577 bytes; .* 0 to 1048576/],
    [() => node.repin(1, x(65), ''), /REPIN: to has 65 bytes; it must have 0 to 64/],
    [() => node.close(1, 4500, 'é'.repeat(62)), /CLOSE: reason has 124 bytes; it must have 0 to 123/],
  ];
  for (const [call, message] of cases) {
    t.throws(call, { name: 'PinwheelError', code: 'protocol', message }, String(message));
  }
  t.equal(edge.bytes + node.bytes, 0);
});

t.test(
  'an error’s code that only a newer node knows is internal, and fields that it adds are passed over',
  async (t) => {
    const { calls, frames } = nodeRecorder();
    const json = '{"user":"u","status":"overloaded","error":{"code":"new","message":"why"},"more":[1]}';
    readNodeFrames(receipt(json), frames);
    const wanted: Receipt = { user: 'u', status: 'overloaded', error: { code: 'internal', message: 'why' } };
    t.same(calls, [['receipt', 7, 1, wanted]]);
  },
);
