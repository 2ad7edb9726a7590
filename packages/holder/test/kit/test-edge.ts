import {
  type Attached,
  type AttachRequest,
  decodeServerFrame,
  EdgeFrameWriter,
  encodeClientFrame,
  linkVersion,
  type NodeFramesIn,
  type Position,
  readNodeFrames,
} from '@pinwheel/protocol';
import type { NodeLink } from '../../src/link/node-link.js';
import type { ClusterNode } from './cluster.js';
import { attachRequest } from './one-node.js';

type Said = readonly [frame: string, ...fields: unknown[]];

const ofTheLink: ReadonlySet<string> = new Set(['hello', 'ping', 'pong']);

/** The edge's end of a link. */
export class TestLink {
  readonly node: ClusterNode;
  readonly link: NodeLink;
  /** What the node has said, HELLO and keep-alive included. */
  readonly said: Said[] = [];
  /** Sizes of the link messages that came. */
  readonly messages: number[] = [];
  unreadBytes = 0;
  /** Whether it answers when the node asks whether it is there. */
  isAlive = true;
  /** How the node closed the socket. */
  closed: { readonly code: number; readonly reason: string } | undefined;
  readonly #writer = new EdgeFrameWriter();
  /** Whoever is to hear of frames that are about a session. */
  readonly #heard: (said: Said) => void;

  constructor(
    node: ClusterNode,
    edge: string,
    incarnation = `${edge}-1`,
    heard: (said: Said) => void = () => {},
  ) {
    this.node = node;
    this.#heard = heard;
    const self = this;
    this.link = node.holder.openLink({
      send: (bytes) => {
        this.messages.push(bytes.length);
        readNodeFrames(Uint8Array.from(bytes), this.#frames());
      },
      get unreadBytes() {
        return self.unreadBytes;
      },
      close: (code, reason) => {
        this.closed = { code, reason };
      },
    });
    if (edge !== '') this.say((writer) => writer.hello(linkVersion, edge, incarnation));
  }

  /** Sends what is written, in one link message. */
  say(write: (writer: EdgeFrameWriter) => void): void {
    write(this.#writer);
    this.link.received(Uint8Array.from(this.#writer.take()));
  }

  /** Bytes as they are. */
  sayBytes(...bytes: readonly number[]): void {
    this.link.received(Uint8Array.from(bytes));
  }

  attach(key: string, fields: Partial<AttachRequest>): number {
    const request = attachRequest(key, fields);
    this.say((writer) => writer.attach(request));
    return request.session;
  }

  /** Everything that was said about a session since the last call. */
  take(session: number): readonly Said[] {
    const taken = this.said.filter(([frame, of]) => of === session && !ofTheLink.has(frame));
    for (const one of taken) this.said.splice(this.said.indexOf(one), 1);
    return taken;
  }

  #note(...said: Said): void {
    this.said.push(said);
    this.#heard(said);
  }

  #frames(): NodeFramesIn {
    return {
      hello: (...fields) => this.#note('hello', ...fields),
      attached: ({ session, ...rest }) => this.#note('attached', session, rest),
      repin: (...fields) => this.#note('repin', ...fields),
      taken: (...fields) => this.#note('taken', ...fields),
      receipt: (...fields) => this.#note('receipt', ...fields),
      close: (...fields) => this.#note('close', ...fields),
      ping: (number) => {
        this.#note('ping', number);
        if (this.isAlive) queueMicrotask(() => this.say((writer) => writer.pong(number)));
      },
      pong: (...fields) => this.#note('pong', ...fields),
      message: (session, seq, _binary, frame) => {
        const decoded = decodeServerFrame(frame.whole());
        const id = decoded.kind === 'message' ? decoded.id : '';
        this.#note('message', session, seq, Buffer.from(frame.data()).toString(), id);
      },
      reply: (session, _binary, frame) => this.#note('reply', session, Buffer.from(frame.data()).toString()),
    };
  }
}

/** A client at an edge that does what the node tells it, and writes down what comes. */
export class TestClient {
  readonly user: string;
  readonly key: string;
  readonly texts: string[] = [];
  /** Of every ATTACHED whether something was lost. */
  readonly recovered: boolean[] = [];
  /** Every member that REPIN named. */
  readonly repinned: string[] = [];
  closed: { readonly code: unknown; readonly reason: unknown } | undefined;
  /** The member that it is attached at. */
  at: string | undefined;
  number = 0;
  taken = 0;
  position: Position | undefined;
  epoch = 1;
  /** Whether it acknowledges everything at once. */
  acknowledges = true;
  /** Messages that came again. */
  repeats = 0;
  readonly #ids = new Set<string>();
  readonly #others: Position[] = [];
  readonly #nodeOf: (id: string) => ClusterNode | undefined;
  readonly #edge: string;
  #link: TestLink | undefined;
  #sent = 0;

  constructor(nodeOf: (id: string) => ClusterNode | undefined, user: string, key: string, edge = 'e1') {
    this.#nodeOf = nodeOf;
    this.user = user;
    this.key = key;
    this.#edge = edge;
  }

  /** Whether it has nobody to wait for: it was never attached, its link is lost, or the node knew of nobody. */
  get isLost(): boolean {
    return this.#link === undefined || this.#link.closed !== undefined;
  }

  get link(): TestLink {
    if (this.#link === undefined) throw new Error(`${this.key} has no link`);
    return this.#link;
  }

  /** Attaches at that member, by a link of its own. */
  attach(to: string, handoff = ''): void {
    const node = this.#nodeOf(to);
    if (node === undefined) throw new Error(`there is no node ${to}`);
    // an edge of its own for each attach: the node would close the older of two links of one edge
    const link = new TestLink(node, `${this.#edge}-${++links}`, 'i', (said) => {
      if (link === this.#link) this.#hear(said);
    });
    this.#link = link;
    this.at = undefined;
    const positions = [...this.#others, ...(this.position === undefined ? [] : [this.position])];
    const { user, epoch } = this;
    const resumes = this.position !== undefined;
    const { fingerprint } = node.holder.ownership.state.ring;
    this.number = link.attach(this.key, { user, epoch, resumes, positions, handoff, fingerprint });
  }

  /** Its link is lost. */
  cut(): void {
    const link = this.#link;
    this.#link = undefined;
    this.at = undefined;
    link?.link.gone();
  }

  send(text: string): void {
    const frame = { kind: 'message', number: ++this.#sent, binary: false, data: Buffer.from(text) } as const;
    this.link.say((writer) => writer.client(this.number, encodeClientFrame(frame)));
  }

  close(): void {
    this.link.say((writer) => writer.closed(this.number, 1000, 'left'));
    this.at = undefined;
  }

  #hear([frame, session, ...fields]: Said): void {
    if (session !== this.number) return;
    if (frame === 'attached') this.#attached(fields[0] as Omit<Attached, 'session'>);
    else if (frame === 'message') this.#message(...(fields as [number, string, string]));
    else if (frame === 'taken') this.taken = fields[0] as number;
    else if (frame === 'close') {
      this.closed = { code: fields[0], reason: fields[1] };
      this.at = undefined;
    } else if (frame === 'repin') {
      const [to, handoff] = fields as [string, string];
      this.repinned.push(to);
      this.at = undefined;
      // an edge goes there once it has read this link message
      if (to === '') this.#link = undefined;
      else queueMicrotask(() => this.attach(to, handoff));
    }
  }

  #attached({ stream, seq, recovered, taken }: Omit<Attached, 'session'>): void {
    if (this.position !== undefined && this.position.stream !== stream) this.#others.push(this.position);
    this.position = { stream, seq };
    this.at = this.link.node.id;
    this.recovered.push(recovered);
    this.taken = taken;
  }

  #message(seq: number, text: string, id: string): void {
    // as every client of pinwheel.v1 does
    if (this.#ids.has(id)) this.repeats++;
    else this.texts.push(text);
    this.#ids.add(id);
    this.position = { stream: this.position!.stream, seq };
    const { number, link } = this;
    if (this.acknowledges) queueMicrotask(() => link.say((writer) => writer.ack(number, seq)));
  }
}

let links = 0;
