import fc from 'fast-check';
import {
  decodeServerFrame,
  type EdgeFrames,
  encodeClientFrame,
  type NodeFramesIn,
  type NodeFramesOut,
  type ServerFrame,
} from '../../src/index.js';
import { id, payload, plain, receipt, textOf, u32 } from './arbitraries.js';

/** A frame as the call that writes it. */
export type CallOf<Frames> = {
  [Name in keyof Frames]: Frames[Name] extends (...args: infer Args) => void
    ? readonly [name: Name, ...args: Args]
    : never;
}[keyof Frames];

export type EdgeCall = CallOf<EdgeFrames>;
export type NodeCall = CallOf<NodeFramesOut>;

export function write<Frames>(writer: Frames, calls: readonly CallOf<Frames>[]): void {
  for (const [name, ...args] of calls as readonly (readonly [keyof Frames, ...unknown[]])[]) {
    (writer[name] as (...args: readonly unknown[]) => void)(...args);
  }
}

const code = fc.integer({ min: 1000, max: 4999 });
const reason = textOf(0, 123);
const member = textOf(1, 64);

function call<const Name extends string, Args extends unknown[]>(
  name: Name,
  ...args: { [Place in keyof Args]: fc.Arbitrary<Args[Place]> }
): fc.Arbitrary<readonly [Name, ...Args]> {
  return fc.tuple(...args).map((values) => [name, ...(values as Args)] as const);
}

const clientFrame = fc.oneof(
  fc
    .record({ number: u32, payload })
    .map(({ number, payload }) => encodeClientFrame({ kind: 'message', number, ...payload })),
  fc
    .record({ number: u32, payload, to: textOf(1, 256), waitForClient: fc.boolean(), repeated: fc.boolean() })
    .map(({ payload, ...rest }) => encodeClientFrame({ kind: 'send', ...rest, ...payload })),
);

export const edgeCall: fc.Arbitrary<EdgeCall> = fc.oneof(
  call('hello', fc.nat(255), member, member),
  call(
    'attach',
    plain({
      session: u32,
      acknowledges: fc.boolean(),
      resumes: fc.boolean(),
      epoch: u32,
      key: textOf(1, 64),
      user: textOf(1, 256),
      fingerprint: textOf(0, 64),
      handoff: textOf(0, 128),
      positions: fc.array(plain({ stream: textOf(1, 64), seq: u32 }), { maxLength: 8 }),
    }),
  ),
  call('client', u32, clientFrame),
  call('ack', u32, u32),
  call('pause', u32),
  call('continue', u32),
  call('detach', u32, u32),
  call('closed', u32, code, reason),
  call('leave', u32, code, reason),
  call('ping', u32),
  call('pong', u32),
);

export const nodeCall: fc.Arbitrary<NodeCall> = fc.oneof(
  call('hello', fc.nat(255), member, member),
  call(
    'attached',
    plain({
      session: u32,
      recovered: fc.boolean(),
      stream: textOf(1, 64),
      seq: u32,
      taken: u32,
      resumeWindowMs: u32,
    }),
  ),
  call('repin', u32, textOf(0, 64), textOf(0, 128)),
  fc
    .tuple(u32, u32, id, payload)
    .map(([session, seq, id, { binary, data }]) => ['message', session, seq, id, binary, data] as const),
  fc.tuple(u32, payload).map(([session, { binary, data }]) => ['reply', session, binary, data] as const),
  call('taken', u32, u32),
  call('receipt', u32, u32, receipt),
  call('close', u32, code, reason),
  call('ping', u32),
  call('pong', u32),
);

/** Notes what an edge's frames say, as the calls that wrote them. */
export function edgeRecorder(): { readonly calls: EdgeCall[]; readonly frames: EdgeFrames } {
  const calls: EdgeCall[] = [];
  const note =
    (name: string) =>
    (...args: unknown[]): void => {
      calls.push([name, ...args] as unknown as EdgeCall);
    };
  const frames: EdgeFrames = {
    hello: note('hello'),
    attach: note('attach'),
    client: (session, frame) => calls.push(['client', session, Uint8Array.from(frame)]),
    ack: note('ack'),
    pause: note('pause'),
    continue: note('continue'),
    detach: note('detach'),
    closed: note('closed'),
    leave: note('leave'),
    ping: note('ping'),
    pong: note('pong'),
  };
  return { calls, frames };
}

/** The same for a node. What goes to clients is read as a client would. */
export function nodeRecorder(): { readonly calls: NodeCall[]; readonly frames: NodeFramesIn } {
  const calls: NodeCall[] = [];
  const note =
    (name: string) =>
    (...args: unknown[]): void => {
      calls.push([name, ...args] as unknown as NodeCall);
    };
  const frames: NodeFramesIn = {
    hello: note('hello'),
    attached: note('attached'),
    repin: note('repin'),
    message: (session, seq, binary, frame) => {
      const { id } = decodeServerFrame(frame.whole()) as ServerFrame & { kind: 'message' };
      calls.push(['message', session, seq, id, binary, frame.data().slice()]);
    },
    reply: (session, binary, frame) => calls.push(['reply', session, binary, frame.data().slice()]),
    taken: note('taken'),
    receipt: note('receipt'),
    close: note('close'),
    ping: note('ping'),
    pong: note('pong'),
  };
  return { calls, frames };
}
