import { readFileSync } from 'node:fs';
import t from 'tap';
import { clientKinds, serverKinds } from '../src/client/kinds.js';
import {
  type ClientFrame,
  decodeClientFrame,
  decodeServerFrame,
  EdgeFrameWriter,
  encodeClientFrame,
  encodeServerFrame,
  NodeFrameWriter,
  parseClientControl,
  parseServerControl,
  readEdgeFrames,
  readNodeFrames,
  type ServerFrame,
} from '../src/index.js';
import { edgeFrameTypes, nodeFrameTypes } from '../src/link/frame-types.js';
import { type EdgeCall, edgeRecorder, type NodeCall, nodeRecorder, write } from './kit/link-calls.js';

const document = readFileSync(new URL('../../../PROTOCOL.md', import.meta.url), 'utf8');

/** The rows of the table below a heading. */
function rowsBelow(heading: string): readonly (readonly string[])[] {
  const from = document.indexOf(`### ${heading}\n`);
  if (from === -1) throw new Error(`PROTOCOL.md has no heading ${heading}`);
  const [, , ...rows] = document
    .slice(from)
    .match(/(?:^\|.*\n)+/m)![0]
    .trim()
    .split('\n');
  return rows.map((row) =>
    row
      .slice(1, -1)
      .split('|')
      .map((cell) => cell.trim()),
  );
}

t.test('the tables of PROTOCOL.md', async (t) => {
  t.test('have the types and names of the link’s frames', async (t) => {
    for (const [heading, types] of [
      ['Edge → node', edgeFrameTypes],
      ['Node → edge', nodeFrameTypes],
    ] as const) {
      const said = rowsBelow(heading).map(([type, name]) => [name, Number(type)]);
      const known = Object.entries(types).map(([name, type]) => [name.toUpperCase(), type]);
      t.same(said, known, heading);
    }
  });

  t.test('have the kinds of binary messages', async (t) => {
    const said = (heading: string) =>
      Object.fromEntries(
        rowsBelow(heading).flatMap(([name, shape]) => {
          const [, kind, binary] = /^`u8` (\d)(?: or (\d) \(binary\))?/.exec(shape!) ?? [];
          return kind === undefined ? [] : [[name, binary === undefined ? [+kind] : [+kind, +binary]]];
        }),
      );
    t.same(said('Client → server'), {
      MESSAGE: [clientKinds.message, clientKinds.binaryMessage],
      SEND: [clientKinds.send, clientKinds.binarySend],
      ACK: [clientKinds.ack],
    });
    t.same(said('Server → client'), {
      MESSAGE: [serverKinds.message, serverKinds.binaryMessage],
      REPLY: [serverKinds.reply, serverKinds.binaryReply],
      TAKEN: [serverKinds.taken],
    });
  });

  t.test('have the control messages, with these fields', async (t) => {
    const values: Readonly<Record<string, string>> = {
      key: '"0123456789abcdef"',
      n: '7',
      text: '"words"',
      bool: 'true',
      '[[stream,seq],…]': '[["s",7]]',
      '{…}': '{"user":"u","status":"queued"}',
    };
    const example = (shape: string) =>
      shape.replace(/:(\w+|\[\[.*?…\]|\{…\})(?=[,}])/g, (_all, value: string) => `:${values[value]}`);
    for (const [heading, parse] of [
      ['Client → server', parseClientControl],
      ['Server → client', parseServerControl],
    ] as const) {
      const controls = rowsBelow(heading).filter(([, shape]) => shape!.startsWith('`{'));
      t.ok(controls.length >= 3);
      for (const [name, shape] of controls) {
        const text = example(shape!.slice(1, -1));
        t.same(parse(text), JSON.parse(text), `${name}: ${text}`);
        t.equal(JSON.parse(text).type, name);
      }
    }
  });
});

const bytes = (hex: string) => Buffer.from(hex.replaceAll(' ', ''), 'hex');
const utf8 = (text: string) => new Uint8Array(Buffer.from(text));

t.test('the bytes of each frame of the link', async (t) => {
  const attach = {
    session: 7,
    acknowledges: true,
    resumes: true,
    epoch: 2,
    key: 'k',
    user: 'é',
    fingerprint: 'ff',
    handoff: 'h1',
    positions: [{ stream: 's', seq: 41 }],
  };
  const attached = { session: 7, recovered: true, stream: 's', seq: 41, taken: 3, resumeWindowMs: 60_000 };
  const edge: readonly (readonly [EdgeCall, string])[] = [
    [['hello', 1, 'e1', 'abc'], '01 0a000000 01 0200 6531 0300 616263'],
    [
      ['attach', attach],
      '02 20000000 07000000 03 02000000 0100 6b 0200 c3a9 0200 6666 0200 6831 01 0100 73 29000000',
    ],
    [['client', 7, bytes('01 05000000 6869')], '03 0b000000 07000000 01 05000000 6869'],
    [['ack', 7, 258], '04 08000000 07000000 02010000'],
    [['pause', 7], '05 04000000 07000000'],
    [['continue', 7], '06 04000000 07000000'],
    [['detach', 7, 42], '07 08000000 07000000 2a000000'],
    [['closed', 7, 1000, 'bye'], '08 0b000000 07000000 e803 0300 627965'],
    [['ping', 0xffffffff], '09 04000000 ffffffff'],
    [['pong', 0x80000001], '0a 04000000 01000080'],
  ];
  const json = Buffer.from('{"user":"u","status":"queued"}').toString('hex');
  const node: readonly (readonly [NodeCall, string])[] = [
    [['hello', 1, 'n1', 'abc'], '81 0a000000 01 0200 6e31 0300 616263'],
    [['attached', attached], '82 14000000 07000000 01 29000000 03000000 60ea0000 0100 73'],
    [['repin', 7, 'n4', 'h1'], '83 0c000000 07000000 0200 6e34 0200 6831'],
    [['message', 7, 42, 'm1', false, utf8('hi')], '84 0e000000 07000000 01 2a000000 02 6d31 6869'],
    [['reply', 7, true, bytes('ff')], '85 06000000 07000000 04 ff'],
    [['taken', 7, 258], '86 08000000 07000000 02010000'],
    [['receipt', 7, 5, { user: 'u', status: 'queued' }], `87 26000000 07000000 05000000 ${json}`],
    [['close', 7, 4505, ''], '88 08000000 07000000 9911 0000'],
    [['ping', 0xffffffff], '89 04000000 ffffffff'],
    [['pong', 0x80000001], '8a 04000000 01000080'],
  ];
  t.same([edge.length, node.length], [10, 10]);
  for (const [call, hex] of edge) {
    const writer = new EdgeFrameWriter();
    write(writer, [call]);
    t.equal(Buffer.from(writer.take()).toString('hex'), bytes(hex).toString('hex'), `edge: ${call[0]}`);
    const { calls, frames } = edgeRecorder();
    readEdgeFrames(bytes(hex), frames);
    t.same(calls, [call]);
  }
  for (const [call, hex] of node) {
    const writer = new NodeFrameWriter();
    write(writer, [call]);
    t.equal(Buffer.from(writer.take()).toString('hex'), bytes(hex).toString('hex'), `node: ${call[0]}`);
    const { calls, frames } = nodeRecorder();
    readNodeFrames(bytes(hex), frames);
    t.same(calls, [call]);
  }
});

t.test('the bytes of each binary message of pinwheel.v1', async (t) => {
  const hi = utf8('hi');
  const one = Uint8Array.of(0xff);
  const client: readonly (readonly [ClientFrame, string])[] = [
    [{ kind: 'message', number: 5, binary: false, data: hi }, '01 05000000 6869'],
    [{ kind: 'message', number: 258, binary: true, data: one }, '02 02010000 ff'],
    [
      { kind: 'send', number: 6, binary: false, waitForClient: true, repeated: true, to: 'é', data: hi },
      '03 06000000 06 0200 c3a9 6869',
    ],
    [
      { kind: 'send', number: 6, binary: true, waitForClient: false, repeated: false, to: 'b', data: one },
      '04 06000000 00 0100 62 ff',
    ],
    [{ kind: 'ack', welcomes: 2, seq: 42 }, '05 02 2a000000'],
  ];
  const server: readonly (readonly [ServerFrame, string])[] = [
    [{ kind: 'message', seq: 42, id: 'm1', binary: false, data: hi }, '01 2a000000 02 6d31 6869'],
    [{ kind: 'message', seq: 258, id: '', binary: true, data: one }, '02 02010000 00 ff'],
    [{ kind: 'reply', binary: false, data: hi }, '03 6869'],
    [{ kind: 'reply', binary: true, data: one }, '04 ff'],
    [{ kind: 'taken', number: 258 }, '05 02010000'],
  ];
  for (const [frame, hex] of client) {
    t.equal(Buffer.from(encodeClientFrame(frame)).toString('hex'), bytes(hex).toString('hex'), hex);
    t.same(decodeClientFrame(Uint8Array.from(bytes(hex))), frame);
  }
  for (const [frame, hex] of server) {
    t.equal(Buffer.from(encodeServerFrame(frame)).toString('hex'), bytes(hex).toString('hex'), hex);
    t.same(decodeServerFrame(Uint8Array.from(bytes(hex))), frame);
  }
});
