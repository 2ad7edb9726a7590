import type { Member, RingState } from '@pinwheel/membership';
import {
  type Attached,
  type AttachRequest,
  type EdgeFrames,
  linkVersion,
  NodeFrameWriter,
  readEdgeFrames,
} from '@pinwheel/protocol';
import { seeded } from '../../../test/kit/seeded.js';
import { EdgeCore } from '../src/link/edge-core.js';
import type { EdgeCoreOptions } from '../src/link/edge-core-options.js';
import type { ClientPort, EdgeWorld, LinkEvents, LinkSocket } from '../src/link/edge-world.js';
import { FakeTracker } from './fake-tracker.js';

/** A frame that an edge has sent, as it reads in a test: `['attach', {…}]`, `['ack', 1, 32]`. */
export type Said = readonly [name: string, ...values: unknown[]];

export function member(id: string, more: Partial<Member> = {}): Member {
  return { id, address: '127.0.0.1', port: 1, weight: 1, draining: false, kind: 'node', ...more };
}

/** An edge's core in a world where the test is time, the members and the nodes. */
export class World implements EdgeWorld {
  readonly tracker: FakeTracker;
  readonly dials: Dialled[] = [];
  readonly core: EdgeCore;
  now = 0;
  readonly random = seeded(1);
  readonly clock = {
    now: (): number => this.now,
    after: (delayMs: number, call: () => void): (() => void) => {
      const timer = { at: this.now + delayMs, call };
      this.#timers.push(timer);
      return () => {
        this.#timers = this.#timers.filter((one) => one !== timer);
      };
    },
  };
  #timers: { readonly at: number; readonly call: () => void }[] = [];
  #soon: (() => void)[] = [];

  constructor(members: readonly Member[], options: Partial<EdgeCoreOptions> = {}) {
    this.tracker = new FakeTracker(members);
    this.core = new EdgeCore(this, { id: 'e1', incarnation: 'first', ...options });
    // the pace has saved up what it may
    this.advance(100);
  }

  soon(call: () => void): void {
    this.#soon.push(call);
  }

  state(): RingState {
    return this.tracker.current;
  }

  refreshRing(): void {
    void this.tracker.refresh();
  }

  dial(to: Member, events: LinkEvents): LinkSocket {
    const dialled = new Dialled(this, to, events);
    this.dials.push(dialled);
    return dialled;
  }

  /** Ends the event loop's turn. */
  turn(): void {
    while (this.#soon.length > 0) for (const call of this.#soon.splice(0)) call();
  }

  advance(ms: number): void {
    const end = this.now + ms;
    this.turn();
    for (;;) {
      const next = this.#timers.sort((a, b) => a.at - b.at)[0];
      if (next === undefined || next.at > end) break;
      this.#timers.shift();
      this.now = Math.max(this.now, next.at);
      next.call();
      this.turn();
    }
    this.now = end;
  }

  /** The process stands still: timers that are due run late, all at once. */
  standStill(ms: number): void {
    this.now += ms;
    this.advance(0);
  }

  setMembers(members: readonly Member[]): void {
    this.tracker.set(members);
    this.core.ringChanged();
    this.turn();
  }

  /** The newest dial to that member. */
  link(id: string): Dialled {
    const found = this.dials.findLast((one) => one.to.id === id);
    if (found === undefined) throw new Error(`nobody has dialled ${id}`);
    return found;
  }

  /** The same, open, with both greetings said. */
  up(id: string): Dialled {
    const link = this.link(id);
    if (link.said.length === 0) {
      link.open();
      link.greet();
    }
    return link;
  }

  user(id: string, prefix = 'user'): string {
    for (let i = 0; ; i++) {
      if (this.tracker.current.ring.owner(`${prefix}-${i}`) === id) return `${prefix}-${i}`;
    }
  }

  plain(user: string): FakeClient {
    return new FakeClient(this, user, 'plain');
  }

  /** A client of `pinwheel.v1` that has said hello. */
  v1(user: string, hello: object = { session: 'k'.repeat(16), epoch: 1 }): FakeClient {
    const client = this.silentV1(user);
    client.text({ type: 'hello', ...hello });
    return client;
  }

  silentV1(user: string): FakeClient {
    return new FakeClient(this, user, 'v1');
  }
}

/** One dial of a link, and the node at the other end of it. */
export class Dialled implements LinkSocket {
  readonly to: Member;
  readonly said: Said[] = [];
  closedWith: readonly [code: number, reason: string] | undefined;
  /** Its node answers no PING. */
  isHung = false;
  readonly #world: World;
  readonly #events: LinkEvents;
  #read = 0;

  constructor(world: World, to: Member, events: LinkEvents) {
    this.#world = world;
    this.to = to;
    this.#events = events;
  }

  send(bytes: Uint8Array): void {
    const before = this.said.length;
    readEdgeFrames(Uint8Array.from(bytes), recorder(this.said));
    for (const [name, number] of this.said.slice(before)) {
      if (name === 'ping' && !this.isHung) {
        this.#world.soon(() => this.saysInTurn((node) => node.pong(number as number)));
      }
    }
  }

  close(code: number, reason: string): void {
    this.closedWith ??= [code, reason];
  }

  open(): void {
    this.#events.opened();
  }

  greet(version = linkVersion, id = this.to.id, incarnation = 'n'): void {
    this.says((node) => node.hello(version, id, incarnation));
  }

  /** Has the node say something, as one link message, and ends the turn. */
  says(write: (node: NodeFrameWriter) => void): void {
    this.saysInTurn(write);
    this.#world.turn();
  }

  /** The same, in the midst of a turn. */
  saysInTurn(write: (node: NodeFrameWriter) => void): void {
    const writer = new NodeFrameWriter();
    write(writer);
    this.#events.received(Uint8Array.from(writer.take()));
  }

  saysBytes(bytes: Uint8Array): void {
    this.#events.received(bytes);
    this.#world.turn();
  }

  lose(): void {
    this.#events.closed('reset');
    this.#world.turn();
  }

  /** What was said since the last call, PINGs aside. */
  news(): Said[] {
    this.#world.turn();
    const news = this.said.slice(this.#read).filter(([name]) => name !== 'ping');
    this.#read = this.said.length;
    return news;
  }

  /** The only ATTACH among the news. */
  attach(): AttachRequest {
    const attaches = this.news().filter(([name]) => name === 'attach');
    if (attaches.length !== 1) throw new Error(`${attaches.length} sessions were attached, not one`);
    return attaches[0]![1] as AttachRequest;
  }

  /** Takes the one session that was attached. */
  take(more: Partial<Attached> = {}): AttachRequest {
    const request = this.attach();
    this.says((node) => node.attached(attachedOf(request.session, more)));
    return request;
  }

  message(session: number, seq: number, data: string, id = ''): void {
    this.says((node) => node.message(session, seq, id, false, Buffer.from(data)));
  }
}

export function attachedOf(session: number, more: Partial<Attached> = {}): Attached {
  return { session, recovered: true, stream: 's', seq: 0, taken: 0, resumeWindowMs: 60_000, ...more };
}

/** A client's socket. */
export class FakeClient implements ClientPort {
  readonly session;
  readonly got: (string | Buffer)[] = [];
  /** Writes that left together. */
  readonly corks: number[] = [];
  closedWith: readonly [code: number, reason: string] | undefined;
  isFull = false;
  readonly #world: World;
  #corked: number | undefined;
  #numbers = 0;

  constructor(world: World, user: string, speech: 'plain' | 'v1') {
    this.#world = world;
    this.session = world.core.open(user, speech, this);
    world.turn();
  }

  write(data: Uint8Array | string, binary: boolean): boolean {
    if (this.closedWith !== undefined) throw new Error('written to a closed socket');
    this.got.push(binary ? Buffer.from(data as Uint8Array) : Buffer.from(data as Uint8Array).toString());
    if (this.#corked === undefined) this.corks.push(1);
    else this.#corked++;
    return !this.isFull;
  }

  cork(write: () => void): void {
    this.#corked = 0;
    write();
    this.corks.push(this.#corked);
    this.#corked = undefined;
  }

  close(code: number, reason: string): void {
    if (this.closedWith !== undefined) throw new Error('closed twice');
    this.closedWith = [code, reason];
  }

  /** What has come since the last call. */
  news(): (string | Buffer)[] {
    return this.got.splice(0);
  }

  /** The same, of a client of `pinwheel.v1`, control messages parsed. */
  v1News(): unknown[] {
    return this.news().map((one) => (typeof one === 'string' ? JSON.parse(one) : [...one]));
  }

  text(value: object | string): void {
    this.session.received(Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)), false);
    this.#world.turn();
  }

  bytes(...bytes: readonly number[]): void {
    this.session.received(Buffer.from(bytes), true);
    this.#world.turn();
  }

  /** A MESSAGE of `pinwheel.v1` with the next number. */
  says(data: string, number = ++this.#numbers): void {
    this.#numbers = number;
    this.bytes(1, ...u32(number), ...Buffer.from(data));
  }
}

export function u32(value: number): number[] {
  return [value & 255, (value >>> 8) & 255, (value >>> 16) & 255, value >>> 24];
}

/** A MESSAGE as a client of `pinwheel.v1` gets it. */
export function messageBytes(seq: number, data: string, id = ''): number[] {
  return [1, ...u32(seq), id.length, ...Buffer.from(id + data)];
}

/** A MESSAGE as a client sends it. */
export function clientBytes(number: number, data: string, binary = false): number[] {
  return [binary ? 2 : 1, ...u32(number), ...Buffer.from(data)];
}

function recorder(said: Said[]): EdgeFrames {
  const record =
    (name: string) =>
    (...values: unknown[]): void => {
      said.push([name, ...values.map((value) => (value instanceof Uint8Array ? [...value] : value))]);
    };
  return {
    hello: record('hello'),
    attach: record('attach'),
    client: record('client'),
    ack: record('ack'),
    pause: record('pause'),
    continue: record('continue'),
    detach: record('detach'),
    closed: record('closed'),
    leave: record('leave'),
    ping: record('ping'),
    pong: record('pong'),
  };
}
