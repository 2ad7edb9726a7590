import t from 'tap';
import {
  decodeClientFrame,
  decodeServerFrame,
  encodeClientFrame,
  encodeServerFrame,
  maxMessageBytes,
  parseClientControl,
  parseServerControl,
} from '../src/client/index.js';

t.test('each fault of a binary message names the field and the bound', async (t) => {
  const long = new Uint8Array(maxMessageBytes + 1);
  const send = {
    kind: 'send',
    number: 1,
    binary: true,
    waitForClient: false,
    repeated: false,
    to: 'u',
    data: long,
  } as const;
  const data = new Uint8Array(1);
  const cases: readonly (readonly [() => unknown, RegExp])[] = [
    [
      () => encodeClientFrame({ kind: 'message', number: 1, binary: true, data: long }),
      /MESSAGE: data has 1048577 /,
    ],
    [
      () => encodeClientFrame({ kind: 'message', number: -1, binary: true, data }),
      /number is -1; .*0 to 4294967295/,
    ],
    [() => encodeClientFrame(send), /SEND: data has 1048577 bytes; it must have at most 1048576/],
    [() => encodeClientFrame({ ...send, data, to: '' }), /SEND: to has 0 bytes; it must have 1 to 256/],
    [
      () => encodeClientFrame({ ...send, data, to: 'é'.repeat(129) }),
      /to has 258 bytes; it must have 1 to 256/,
    ],
    [() => encodeClientFrame({ ...send, data, to: '\ud800' }), /SEND: to has a lone surrogate/],
    [() => encodeClientFrame({ ...send, data, number: 2 ** 32 }), /SEND: number is 4294967296; /],
    [() => encodeClientFrame({ kind: 'ack', welcomes: 256, seq: 1 }), /ACK: welcomes is 256; .*0 to 255/],
    [() => encodeClientFrame({ kind: 'ack', welcomes: 1, seq: 0.5 }), /ACK: seq is 0.5; .*0 to 4294967295/],
    [() => decodeClientFrame(Uint8Array.of()), /a client’s message: it is empty/],
    [() => decodeClientFrame(Uint8Array.of(6)), /its kind 6 is unknown/],
    [() => decodeClientFrame(Uint8Array.of(1, 1, 0, 0)), /MESSAGE: it has 4 bytes; it must have at least 5/],
    [() => decodeClientFrame(Uint8Array.of(1, 1, 0, 0, 0, 0xff)), /MESSAGE: its data is text, and not valid/],
    [
      () => decodeClientFrame(Uint8Array.of(3, 1, 0, 0, 0, 0, 1, 0, 65, 0xff)),
      /SEND: its data is text, and not valid/,
    ],
    [() => decodeClientFrame(Uint8Array.of(5, 1, 0, 0, 0)), /ACK: it has 5 bytes; it must have at least 6/],
    [() => decodeClientFrame(Uint8Array.of(5, 1, 0, 0, 0, 0, 9)), /ACK: 1 bytes follow its last field/],
    [
      () => encodeServerFrame({ kind: 'message', seq: 1, id: 'é', binary: true, data }),
      /id must have at most 64 /,
    ],
    [() => encodeServerFrame({ kind: 'reply', binary: true, data: long }), /REPLY: data has 1048577 bytes; /],
    [() => encodeServerFrame({ kind: 'taken', number: Number.NaN }), /TAKEN: number is NaN; /],
    [() => decodeServerFrame(Uint8Array.of()), /a server’s message: it is empty/],
    [
      () => decodeServerFrame(Uint8Array.of(1, 1, 0, 0, 0)),
      /MESSAGE: it has 5 bytes; it must have at least 6/,
    ],
    [() => decodeServerFrame(Uint8Array.of(1, 1, 0, 0, 0, 2, 65)), /MESSAGE: it has 7 bytes; .* at least 8/],
    [
      () => decodeServerFrame(Uint8Array.of(1, 1, 0, 0, 0, 1, 32)),
      /id must have at most 64 .* printable ASCII/,
    ],
    [() => decodeServerFrame(Uint8Array.of(5, 1, 0, 0)), /TAKEN: it has 4 bytes; it must have at least 5/],
    [() => decodeServerFrame(Uint8Array.of(5, 1, 0, 0, 0, 9)), /TAKEN: 1 bytes follow its last field/],
  ];
  for (const [call, message] of cases) {
    t.throws(call, { name: 'PinwheelError', code: 'protocol', message }, String(message));
  }
});

t.test('each fault of a control message names the field and the bound', async (t) => {
  const hello = { type: 'hello', session: '0123456789abcdef', epoch: 1 };
  const welcome = { type: 'welcome', session: hello.session, stream: 's', seq: 1, recovered: true, taken: 0 };
  const client: readonly (readonly [unknown, RegExp])[] = [
    [[], /it is an array; it must be an object/],
    [{}, /of the type missing, which is unknown/],
    [{ type: 'welcome' }, /of the type "welcome", which is unknown/],
    [{ type: 'x'.repeat(99) }, /of the type "x{80}…", which/],
    [{ ...hello, session: '0123456789abcde' }, /session is "0123456789abcde"; it must be 16 to 64 of/],
    [{ ...hello, session: `${hello.session}\n` }, /session is /],
    [{ ...hello, epoch: '1' }, /epoch is "1"; it must be a whole number from 0 to 4294967295/],
    [{ ...hello, epoch: 2 ** 32 }, /epoch is 4294967296; /],
    [{ ...hello, positions: {} }, /positions is an object; it must be an array of at most 8/],
    [
      { ...hello, positions: Array(9).fill(['s', 1]) },
      /positions has 9 places; it must be an array of at most 8/,
    ],
    [{ ...hello, positions: [['s', 1, 2]] }, /a position is an array; it must be \[stream, seq\]/],
    [{ ...hello, positions: [['', 1]] }, /stream is ""; it must be a text of 1 to 64 bytes/],
    [{ ...hello, positions: [['é'.repeat(33), 1]] }, /stream is .*; it must be a text of 1 to 64 bytes/],
    [{ ...hello, positions: [['€'.repeat(22), 1]] }, /stream is .*; it must be a text of 1 to 64 bytes/],
    [{ ...hello, positions: [['s', -1]] }, /seq is -1; /],
    [{ type: 'token', token: '' }, /token is ""; it must be a text of 1 to 8192 bytes/],
    [{ type: 'token', token: 'x'.repeat(8193) }, /token is "x{80}…"; it must be a text of 1 to 8192 bytes/],
    [{ type: 'ping', more: 'x'.repeat(32_768) }, /has 32793 characters; it must have at most 32768/],
  ];
  const server: readonly (readonly [unknown, RegExp])[] = [
    [null, /it is null; it must be an object/],
    [{ type: 'hello' }, /of the type "hello", which is unknown/],
    [welcome, /resumeWindowMs is missing; it must be a whole number/],
    [{ ...welcome, recovered: 1 }, /recovered is 1; it must be true or false/],
    [{ type: 'receipt', number: 1 }, /receipt is missing; it must be an object/],
    [
      { type: 'receipt', number: 1, receipt: { user: 'u' } },
      /status is missing; it must be a text of 1 to 64 bytes/,
    ],
    [
      { type: 'receipt', number: 1, receipt: { user: 'u', status: 's', error: 7 } },
      /error is 7; it must be an obj/,
    ],
  ];
  for (const [parse, cases] of [
    [parseClientControl, client],
    [parseServerControl, server],
  ] as const) {
    for (const [value, message] of cases) {
      const call = () => parse(JSON.stringify(value));
      t.throws(call, { name: 'PinwheelError', code: 'protocol', message }, String(message));
    }
    t.throws(() => parse('{"type"'), { code: 'protocol', message: /is not JSON/ });
  }
});
