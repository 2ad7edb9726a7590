import {
  type AttachRequest,
  type EdgeFrames,
  linkVersion,
  NodeFrameWriter,
  readEdgeFrames,
} from '@pinwheel/protocol';
import { type WebSocket, WebSocketServer } from 'ws';
import { until } from '../../../test/kit/until.js';
import { member } from './link-world.js';

/** A session as the fake node has it. */
export interface FakeSession {
  readonly link: FakeNodeLink;
  readonly request: AttachRequest;
  seq: number;
  /** What its client has sent, bytes as latin1. */
  readonly got: string[];
  readonly said: string[];
}

/** A node that takes every session, at the other end of real links, and says what the test tells it. */
export class FakeNode {
  readonly server: WebSocketServer;
  readonly id: string;
  readonly links = new Set<FakeNodeLink>();
  readonly paths: string[] = [];
  /** The newest session of each user. */
  readonly sessions = new Map<string, FakeSession>();

  private constructor(id: string, server: WebSocketServer) {
    this.id = id;
    this.server = server;
    server.on('connection', (socket, request) => {
      this.paths.push(request.url ?? '');
      const link = new FakeNodeLink(this, socket);
      this.links.add(link);
      socket.on('error', () => {});
      socket.on('close', () => this.links.delete(link));
    });
  }

  static async start(id: string): Promise<FakeNode> {
    const server = new WebSocketServer({ port: 0, host: '127.0.0.1', perMessageDeflate: false });
    await new Promise((resolve) => server.once('listening', resolve));
    return new FakeNode(id, server);
  }

  get member() {
    return member(this.id, { port: (this.server.address() as { port: number }).port });
  }

  get link(): FakeNodeLink {
    const [link] = this.links;
    if (link === undefined) throw new Error(`nobody has a link to ${this.id}`);
    return link;
  }

  async session(user: string): Promise<FakeSession> {
    await until(`${user} is attached at ${this.id}`, () => this.sessions.has(user));
    return this.sessions.get(user)!;
  }

  /** Sends a message to a user, as a link message of its own. */
  async send(user: string, data: string | Uint8Array): Promise<void> {
    const session = await this.session(user);
    session.link.says((node) =>
      node.message(session.request.session, ++session.seq, 'id', typeof data !== 'string', Buffer.from(data)),
    );
  }

  async close(): Promise<void> {
    for (const { socket } of this.links) socket.terminate();
    await new Promise((resolve) => this.server.close(resolve));
  }
}

export class FakeNodeLink {
  readonly socket: WebSocket;
  closedWith = 0;
  hello: readonly unknown[] = [];
  readonly #node: FakeNode;
  readonly #byNumber = new Map<number, FakeSession>();

  constructor(node: FakeNode, socket: WebSocket) {
    this.#node = node;
    this.socket = socket;
    socket.on('message', (data: Buffer) => readEdgeFrames(data, this.#frames));
    socket.on('close', (code) => {
      this.closedWith = code;
    });
  }

  says(write: (node: NodeFrameWriter) => void): void {
    const writer = new NodeFrameWriter();
    write(writer);
    this.socket.send(Buffer.from(writer.take()));
  }

  readonly #frames: EdgeFrames = {
    hello: (...values) => {
      this.hello = values;
      this.says((node) => node.hello(linkVersion, this.#node.id, 'incarnation'));
    },
    attach: (request) => {
      const before = this.#node.sessions.get(request.user);
      const session = { link: this, request, seq: before?.seq ?? 0, got: [], said: [] };
      this.#node.sessions.set(request.user, session);
      this.#byNumber.set(request.session, session);
      const { session: number } = request;
      this.says((node) =>
        node.attached({
          session: number,
          recovered: true,
          stream: `of-${request.user}`,
          seq: session.seq,
          taken: 0,
          resumeWindowMs: 60_000,
        }),
      );
    },
    client: (number, frame) => {
      this.#of(number)?.got.push(Buffer.from(frame.subarray(5)).toString('latin1'));
      const taken = frame[1]! | (frame[2]! << 8);
      this.says((node) => node.taken(number, taken));
    },
    ack: (number, seq) => this.#of(number)?.said.push(`ack ${seq}`),
    pause: (number) => this.#of(number)?.said.push('pause'),
    continue: (number) => this.#of(number)?.said.push('continue'),
    detach: (number, seq) => this.#of(number)?.said.push(`detach ${seq}`),
    closed: (number, code) => this.#of(number)?.said.push(`closed ${code}`),
    leave: (number, code, reason) => {
      this.#of(number)?.said.push(`leave ${code}`);
      this.says((node) => node.close(number, code, reason));
    },
    ping: (number) => this.says((node) => node.pong(number)),
    pong: () => {},
  };

  #of(number: number): FakeSession | undefined {
    return this.#byNumber.get(number);
  }
}
