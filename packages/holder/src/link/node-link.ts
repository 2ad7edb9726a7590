import {
  type AttachRequest,
  type EdgeFrames,
  linkVersion,
  NodeFrameWriter,
  PinwheelError,
  type Receipt,
  readEdgeFrames,
} from '@pinwheel/protocol';
import type { LinkSession, SessionLink } from '../users/link-session.js';
import { HeldFrames } from './held-frames.js';
import type { LinkEvents, LinkSocket, NodeLinkOptions } from './link-world.js';

/** A link is flushed when so much has piled up, though the turn goes on. */
const flushBytes = 262_144;

/** One link, the node's end: sessions of one edge, by number. */
export class NodeLink implements SessionLink, EdgeFrames {
  edge = '';
  /** Of the edge's process. */
  edgeIncarnation = '';
  readonly #options: NodeLinkOptions;
  readonly #socket: LinkSocket;
  readonly #events: LinkEvents;
  readonly #writer = new NodeFrameWriter();
  readonly #sessions = new Map<number, LinkSession>();
  /** Attaches that are being placed; the edge may have given up on them meanwhile. */
  readonly #placing = new Set<number>();
  #heardAt: number;
  #isFlushing = false;
  #isClosed = false;
  #isFull = false;
  /** Nothing is written until the other end has answered: it may have given this link up. */
  #isInDoubt = false;
  /** And what it says waits. */
  #held: HeldFrames | undefined;
  #pings = 0;

  constructor(socket: LinkSocket, events: LinkEvents, options: NodeLinkOptions) {
    this.#socket = socket;
    this.#events = events;
    this.#options = options;
    this.#heardAt = options.now();
    options.counters.opened++;
    this.#writer.hello(linkVersion, options.node, options.incarnation);
    this.#written();
  }

  get sessionCount(): number {
    return this.#sessions.size;
  }

  get isOpen(): boolean {
    return !this.#isFull && !this.#isInDoubt && !this.#isClosed;
  }

  /** A link message has come. */
  received(bytes: Uint8Array): void {
    if (this.#isClosed) return;
    this.#events.reading();
    const { now, maxUnreadBytes } = this.#options;
    this.#heardAt = now();
    try {
      readEdgeFrames(bytes, this.#held ?? this);
      if (this.#held !== undefined && !this.#isInDoubt) this.#isThere(this.#held);
      else if (this.#held !== undefined && this.#held.bytes > maxUnreadBytes) this.close(1001, 'no answer');
    } catch (thrown) {
      this.#options.counters.protocolErrors++;
      this.close(1002, PinwheelError.from(thrown).message);
    }
  }

  /** The socket has room again. */
  drained(): void {
    if (!this.#isFull || this.#socket.unreadBytes > this.#options.maxUnreadBytes) return;
    this.#isFull = false;
    this.#catchUp();
  }

  /** The socket is gone. */
  gone(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#held = undefined;
    this.#options.counters.lost++;
    for (const session of this.#sessions.values()) session.held.detach(session);
    this.#sessions.clear();
    this.#placing.clear();
    this.#events.lost(this);
  }

  /** To be called now and then: asks whether the other end is there, and gives it up. */
  check(): void {
    const silentMs = this.#options.now() - this.#heardAt;
    const { keepAliveMs } = this.#options;
    if (silentMs >= keepAliveMs) this.close(1001, 'no answer');
    else if (silentMs >= keepAliveMs / 3) this.#ping();
  }

  /** This process stood still for longer than the other end may have waited. */
  doubt(): void {
    this.#isInDoubt = true;
    this.#held ??= new HeldFrames(this);
    this.#heardAt = this.#options.now();
    this.#ping();
  }

  /** May be called twice. */
  close(code: number, reason: string): void {
    if (this.#isClosed) return;
    this.#flush();
    this.#socket.close(code, reason);
    this.gone();
  }

  end(session: number, code: number, reason: string): void {
    if (!this.#sessions.delete(session) && !this.#placing.delete(session)) return;
    this.#writer.close(session, code, reason);
    this.#written();
  }

  message(session: number, seq: number, id: string, binary: boolean, data: Uint8Array): void {
    this.#writer.message(session, seq, id, binary, data);
    this.#written();
  }

  reply(session: number, binary: boolean, data: Uint8Array): void {
    this.#writer.reply(session, binary, data);
    this.#written();
  }

  taken(session: number, number: number): void {
    this.#writer.taken(session, number);
    this.#written();
  }

  receipt(session: number, number: number, receipt: Receipt): void {
    this.#writer.receipt(session, number, receipt);
    this.#written();
  }

  repin(session: number, to: string, handoff: string): void {
    if (!this.#sessions.delete(session) && !this.#placing.delete(session)) return;
    this.#writer.repin(session, to, handoff);
    this.#written();
  }

  gap(session: number, stream: string, seq: number, taken: number): void {
    const { resumeWindowMs } = this.#options;
    this.#writer.attached({ session, stream, seq, recovered: false, taken, resumeWindowMs });
    this.#written();
  }

  /** Whether the edge still waits for the outcome of an attach. */
  isWaiting(session: number): boolean {
    return this.#placing.has(session);
  }

  /** The session is pinned here. */
  attached(session: LinkSession, stream: string, seq: number, recovered: boolean): void {
    const { number, taken } = session;
    this.#placing.delete(number);
    this.#sessions.set(number, session);
    const { resumeWindowMs } = this.#options;
    this.#writer.attached({ session: number, stream, seq, recovered, taken, resumeWindowMs });
    this.#written();
  }

  // what the edge says

  hello(version: number, edge: string, incarnation: string): void {
    if (version !== linkVersion) {
      throw new PinwheelError('protocol', `the link's version is ${version}; it must be ${linkVersion}`);
    }
    if (this.edge !== '') throw new PinwheelError('protocol', 'HELLO has come already');
    this.edge = edge;
    this.edgeIncarnation = incarnation;
    this.#events.greeted(this);
  }

  attach(request: AttachRequest): void {
    if (this.#isClosed) return;
    this.#mustBeGreeted();
    if (this.#sessions.has(request.session) || this.#placing.has(request.session)) {
      throw new PinwheelError('protocol', `session ${request.session} is attached already`);
    }
    this.#placing.add(request.session);
    this.#events.attach(request, this);
  }

  client(number: number, frame: Uint8Array): void {
    const session = this.#sessionOf(number);
    if (session !== undefined) this.#events.client(session, frame);
  }

  ack(number: number, seq: number): void {
    const session = this.#sessionOf(number);
    session?.held.acknowledged(session, seq);
  }

  pause(number: number): void {
    const session = this.#sessionOf(number);
    if (session !== undefined) session.paused = true;
  }

  continue(number: number): void {
    const session = this.#sessionOf(number);
    if (session === undefined) return;
    session.paused = false;
    session.held.catchUp(session);
  }

  detach(number: number, seq: number): void {
    this.#placing.delete(number);
    const session = this.#sessionOf(number);
    if (session === undefined) return;
    this.#sessions.delete(number);
    // only its edge can bring a plain client back, and has said what the client has
    if (!session.acknowledges) session.held.acknowledged(session, seq);
    session.held.detach(session);
  }

  closed(number: number, code: number, reason: string): void {
    this.#placing.delete(number);
    const session = this.#sessionOf(number);
    if (session === undefined) return;
    this.#sessions.delete(number);
    session.link = undefined;
    this.#events.closed(session, code, reason);
  }

  leave(number: number, code: number, reason: string): void {
    this.#sessionOf(number)?.leave(code, reason);
  }

  ping(number: number): void {
    this.#mustBeGreeted();
    this.#writer.pong(number);
    this.#written();
  }

  pong(number: number): void {
    this.#mustBeGreeted();
    if (number === this.#pings) this.#isInDoubt = false;
  }

  #sessionOf(number: number): LinkSession | undefined {
    const session = this.#sessions.get(number);
    if (session !== undefined) return session;
    this.#mustBeGreeted();
    this.#options.counters.stale++;
    return undefined;
  }

  #mustBeGreeted(): void {
    if (this.edge === '') throw new PinwheelError('protocol', 'the first frame must be HELLO');
  }

  #ping(): void {
    this.#pings++;
    this.#writer.ping(this.#pings);
    this.#written();
  }

  /** The edge had not given this link up. */
  #isThere(held: HeldFrames): void {
    this.#held = undefined;
    held.release();
    this.#catchUp();
  }

  #catchUp(): void {
    for (const session of this.#sessions.values()) session.held.catchUp(session);
  }

  #written(): void {
    if (this.#writer.bytes >= flushBytes) this.#flush();
    if (this.#isFlushing) return;
    this.#isFlushing = true;
    this.#options.soon(() => {
      this.#isFlushing = false;
      this.#flush();
    });
  }

  #flush(): void {
    if (this.#isClosed || this.#writer.bytes === 0) return;
    this.#socket.send(this.#writer.take());
    if (this.#socket.unreadBytes > this.#options.maxUnreadBytes) this.#isFull = true;
  }
}
