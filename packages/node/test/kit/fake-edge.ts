import { once } from 'node:events';
import {
  EdgeFrameWriter,
  linkVersion,
  type NodeFramesIn,
  type Position,
  type Receipt,
  readNodeFrames,
} from '@pinwheel/protocol';
import { WebSocket } from 'ws';
import { until } from '../../../../test/kit/until.js';
import type { PinwheelNode } from '../../src/index.js';
import type { ClientEnd } from './client.js';
import { FakeSession } from './fake-session.js';
import type { Teardown } from './nodes.js';

export interface FakeEdgeOptions {
  readonly id?: string;
  /** Default: a new one. A link of the same edge and incarnation takes the place of an older one. */
  readonly incarnation?: string;
  /** `false`: the test says HELLO, or does not. */
  readonly saysHello?: boolean;
  /** `false`: PING stays without an answer. */
  readonly answersPings?: boolean;
}

export interface AttachOptions {
  /** Default: a new one. */
  readonly key?: string;
  /** Whether it speaks `pinwheel.v1`; default true. */
  readonly acknowledges?: boolean;
  readonly epoch?: number;
  /** Default: it begins at the end of the stream. */
  readonly positions?: readonly Position[];
  readonly handoff?: string;
  /** Its number on the link; default: one that was never used. */
  readonly number?: number;
  /** Acknowledges every message as it comes. */
  readonly acknowledgesAtOnce?: boolean;
}

let keys = 0;
let incarnations = 0;

/** An edge, as far as a node sees one: the other end of a link, with sessions that do as they are told. */
export class FakeEdge {
  readonly id: string;
  readonly incarnation: string;
  /** What the node said in HELLO. */
  hello: { readonly version: number; readonly node: string; readonly incarnation: string } | undefined;
  pongs: number[] = [];
  pings = 0;
  /** How the link ended, once it has. */
  end: ClientEnd | undefined;
  readonly #socket: WebSocket;
  readonly #writer = new EdgeFrameWriter();
  readonly #sessions = new Map<number, FakeSession>();
  #numbers = 0;

  constructor(socket: WebSocket, { id = 'e1', incarnation, answersPings = true }: FakeEdgeOptions) {
    this.id = id;
    this.incarnation = incarnation ?? `incarnation-${++incarnations}`;
    this.#socket = socket;
    const frames = this.#frames(answersPings);
    socket.on('message', (bytes: Buffer) => readNodeFrames(bytes, frames));
    socket.on('close', (code, reason) => {
      this.end = { code, reason: reason.toString() };
    });
    socket.on('error', () => {});
  }

  /** Writes frames as one link message. */
  write(frames: (out: EdgeFrameWriter) => void): void {
    frames(this.#writer);
    this.raw(this.#writer.take());
  }

  /** A link message that need not be one. */
  raw(bytes: Uint8Array): void {
    this.#socket.send(Buffer.from(bytes));
  }

  sayHello(version = linkVersion): void {
    this.write((out) => out.hello(version, this.id, this.incarnation));
  }

  /** Asks the node to attach a session; the answer is the session's. */
  attach(user: string, options: AttachOptions = {}): FakeSession {
    const { key = `session-key-${++keys}`, acknowledges = true, epoch = 1 } = options;
    const { positions = [], handoff = '', number = ++this.#numbers } = options;
    const session = new FakeSession(this, number, { user, key, ...options });
    this.#sessions.set(number, session);
    const resumes = options.positions !== undefined;
    const request = { session: number, acknowledges, resumes, epoch, key, user, fingerprint: '' };
    this.write((out) => out.attach({ ...request, handoff, positions }));
    return session;
  }

  /** A session that the node has attached. */
  async attached(user: string, options: AttachOptions = {}): Promise<FakeSession> {
    const session = this.attach(user, options);
    await until(`${user} is attached`, () => session.attached.length > 0);
    return session;
  }

  /** Cuts the link without a word. */
  cut(): void {
    this.#socket.terminate();
  }

  #of(number: number): FakeSession {
    const session = this.#sessions.get(number);
    if (session === undefined) throw new Error(`the node spoke of the session ${number}, which there is not`);
    return session;
  }

  #frames(answersPings: boolean): NodeFramesIn {
    return {
      hello: (version, node, incarnation) => {
        this.hello = { version, node, incarnation };
      },
      attached: (attached) => this.#of(attached.session).attached.push(attached),
      repin: (session, to, handoff) => this.#of(session).repins.push({ to, handoff }),
      taken: (session, number) => this.#of(session).taken.push(number),
      receipt: (session, number, receipt: Receipt) => this.#of(session).receipts.push({ number, receipt }),
      close: (session, code, reason) => this.#of(session).closes.push({ code, reason }),
      message: (session, seq, binary, frame) => {
        const [whole, data] = [frame.whole(), frame.data()];
        const id = Buffer.from(whole.subarray(6, whole.length - data.length)).toString();
        this.#of(session).received({ seq, id, binary, data: Buffer.from(data).toString() });
      },
      reply: (session, _binary, frame) =>
        this.#of(session).replies.push(Buffer.from(frame.data()).toString()),
      ping: (number) => {
        this.pings++;
        if (answersPings) this.write((out) => out.pong(number));
      },
      pong: (number) => this.pongs.push(number),
    };
  }
}

/** Opens a link to the node; cut with the test. */
export async function connectEdge(
  t: Teardown,
  node: Pick<PinwheelNode, 'port'>,
  options: FakeEdgeOptions = {},
): Promise<FakeEdge> {
  const socket = new WebSocket(`ws://127.0.0.1:${node.port}/v1/link`, { perMessageDeflate: false });
  const edge = new FakeEdge(socket, options);
  t.teardown(() => edge.cut());
  await once(socket, 'open');
  if (options.saysHello !== false) edge.sayHello();
  return edge;
}
