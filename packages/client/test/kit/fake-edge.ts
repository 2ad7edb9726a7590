import {
  type ClientControl,
  type ClientFrame,
  type ClientReceipt,
  closeCodes,
  decodeClientFrame,
  encodeServerFrame,
  parseClientControl,
  type ServerControl,
} from '@pinwheel/protocol/client';

/** How a fake edge reaches a client. */
export interface ToClient {
  text(data: string): void;
  binary(data: Uint8Array): void;
  close(code: number, reason: string): void;
}

/** What comes from a client. */
export interface FromClient {
  text(data: string): void;
  binary(data: Uint8Array): void;
  closed(code: number): void;
}

interface Kept {
  readonly seq: number;
  readonly id: string;
  readonly data: string | Uint8Array;
}

interface FakeSession {
  epoch: number;
  taken: number;
  to: ToClient | undefined;
  welcomes: number;
  acknowledged: number;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

/**
 * The server's side of `pinwheel.v1` with everything in one place and nothing forgotten: edge, node and an application
 * that remembers what it gets. Without sockets; what it is told to do wrong it does.
 */
export class FakeEdge {
  readonly #users = new Map<string, FakeUser>();
  /** What the clients renewed their tokens with. */
  readonly tokens: string[] = [];

  user(name: string): FakeUser {
    let user = this.#users.get(name);
    if (user === undefined) {
      user = new FakeUser(this);
      this.#users.set(name, user);
    }
    return user;
  }

  connect(name: string, to: ToClient): FromClient {
    const user = this.user(name);
    let session: FakeSession | undefined;
    const refuse = (): void => to.close(closeCodes.protocolError.code, closeCodes.protocolError.reason);
    const control = (said: ClientControl): void => {
      if (said.type === 'hello') session = user.attach(said, to);
      else if (session === undefined) refuse();
      else if (said.type === 'token') this.tokens.push(said.token);
      else to.text('{"type":"pong"}');
    };
    return {
      text: (data) => control(parseClientControl(data)),
      binary: (data) => {
        if (session === undefined) refuse();
        else if (session.to === to) user.take(session, decodeClientFrame(data));
      },
      closed: (code) => user.detach(to, code),
    };
  }
}

/** A user with a stream, and the sessions of the user's clients. */
export class FakeUser {
  /** What the application got. */
  readonly received: (string | Uint8Array)[] = [];
  readonly hellos: (ClientControl & { readonly type: 'hello' })[] = [];
  readonly acks: (ClientFrame & { readonly kind: 'ack' })[] = [];
  /** Messages written to the user's clients, those that were written again included. */
  written = 0;
  /** Sessions that their clients have ended. */
  ended = 0;
  /** Whether it processes what it gets, or keeps it to itself. */
  takes = true;
  /** Whether it answers what is sent to others. */
  answers = true;
  readonly #edge: FakeEdge;
  readonly #sessions = new Map<string, FakeSession>();
  #kept: Kept[] = [];
  #streams = 1;
  #ids = 0;

  constructor(edge: FakeEdge) {
    this.#edge = edge;
  }

  get stream(): string {
    return `stream-${this.#streams}`;
  }

  /** Those with a connection and those that may come back. */
  get sessions(): number {
    return this.#sessions.size;
  }

  get #lastSeq(): number {
    return this.#kept.at(-1)?.seq ?? 0;
  }

  get #attached(): FakeSession[] {
    return [...this.#sessions.values()].filter(({ to }) => to !== undefined);
  }

  /** How many messages were sent to the user. */
  get sent(): number {
    return this.#ids;
  }

  /** Gives how many sessions it was written to. */
  send(data: string | Uint8Array): number {
    const kept = { seq: this.#lastSeq + 1, id: `m${this.#ids++}`, data };
    this.#kept.push(kept);
    for (const { to } of this.#attached) this.#write(to!, kept);
    return this.#attached.length;
  }

  reply(data: string | Uint8Array): void {
    for (const { to } of this.#attached) {
      to!.binary(encodeServerFrame({ kind: 'reply', binary: typeof data !== 'string', data: bytesOf(data) }));
    }
  }

  say(control: ServerControl): void {
    for (const { to } of this.#attached) to!.text(JSON.stringify(control));
  }

  close(code: number, reason: string): void {
    for (const { to } of this.#attached) to!.close(code, reason);
  }

  /**
   * The user is somewhere else: a new stream. The last `repeats` messages stand in it, too, with their ids, and come
   * again, because nobody knows who has had them.
   */
  move(repeats: number): void {
    this.#streams++;
    this.#kept = repeats === 0 ? [] : this.#kept.slice(-repeats).map((kept, i) => ({ ...kept, seq: i + 1 }));
    for (const [key, session] of this.#sessions) {
      if (session.to !== undefined) this.#welcome(key, session, 0, true);
    }
  }

  /** Nothing is known of the user any more. */
  forget(): void {
    this.#streams++;
    this.#kept = [];
    this.#sessions.clear();
  }

  attach(hello: ClientControl & { readonly type: 'hello' }, to: ToClient): FakeSession | undefined {
    this.hellos.push(hello);
    let session = this.#sessions.get(hello.session);
    if (session !== undefined && session.epoch >= hello.epoch) {
      to.close(closeCodes.superseded.code, closeCodes.superseded.reason);
      return undefined;
    }
    session?.to?.close(closeCodes.superseded.code, closeCodes.superseded.reason);
    session ??= { epoch: 0, taken: 0, to: undefined, welcomes: 0, acknowledged: 0 };
    this.#sessions.set(hello.session, session);
    session.epoch = hello.epoch;
    session.to = to;
    session.welcomes = 0;
    const here = hello.positions?.find(([stream]) => stream === this.stream);
    // by a stream that it was moved from nobody knows how far the client is in this one: everything comes again
    const position = hello.positions === undefined ? this.#lastSeq : (here?.[1] ?? 0);
    const isKnown = this.#streams > 1 || here !== undefined || hello.positions === undefined;
    this.#welcome(hello.session, session, position, isKnown && position <= this.#lastSeq);
    return session;
  }

  detach(to: ToClient, code: number): void {
    for (const [key, session] of this.#sessions) {
      if (session.to !== to) continue;
      session.to = undefined;
      if (code !== 1000) continue;
      this.ended++;
      this.#sessions.delete(key);
    }
  }

  take(session: FakeSession, frame: ClientFrame): void {
    if (frame.kind === 'ack') {
      this.acks.push(frame);
      if (frame.welcomes === session.welcomes % 256) session.acknowledged = frame.seq;
      return;
    }
    if (frame.number <= session.taken) {
      session.to?.binary(encodeServerFrame({ kind: 'taken', number: session.taken }));
      return;
    }
    if (session.taken !== 0 && frame.number !== session.taken + 1) {
      session.to?.close(closeCodes.protocolError.code, `number ${frame.number} after ${session.taken}`);
      return;
    }
    if (!this.takes) return;
    session.taken = frame.number;
    const data = frame.binary ? frame.data.slice() : decoder.decode(frame.data);
    if (frame.kind === 'message') this.#process(data);
    else this.#answer(session, frame.number, this.#sendTo(frame.to, data));
    session.to?.binary(encodeServerFrame({ kind: 'taken', number: frame.number }));
  }

  /** The application: it keeps everything and answers `echo …`. */
  #process(data: string | Uint8Array): void {
    this.received.push(data);
    if (typeof data === 'string' && data.startsWith('echo ')) this.reply(data.slice(5));
  }

  #sendTo(to: string, data: string | Uint8Array): ClientReceipt {
    const sessions = this.#edge.user(to).send(data);
    return sessions === 0 ? { user: to, status: 'offline' } : { user: to, status: 'delivered', sessions };
  }

  #answer(session: FakeSession, number: number, receipt: ClientReceipt): void {
    if (this.answers) session.to?.text(JSON.stringify({ type: 'receipt', number, receipt }));
  }

  #welcome(key: string, session: FakeSession, seq: number, recovered: boolean): void {
    const { stream } = this;
    const { taken } = session;
    const from = recovered ? seq : this.#lastSeq;
    session.welcomes++;
    const welcome = {
      type: 'welcome',
      session: key,
      stream,
      seq: from,
      recovered,
      taken,
      resumeWindowMs: 60_000,
      maxMessageBytes: 65_536,
    };
    session.to!.text(JSON.stringify(welcome));
    for (const kept of this.#kept) if (kept.seq > from) this.#write(session.to!, kept);
  }

  #write(to: ToClient, { seq, id, data }: Kept): void {
    this.written++;
    to.binary(
      encodeServerFrame({ kind: 'message', seq, id, binary: typeof data !== 'string', data: bytesOf(data) }),
    );
  }
}

function bytesOf(data: string | Uint8Array): Uint8Array {
  return typeof data === 'string' ? encoder.encode(data) : data;
}
