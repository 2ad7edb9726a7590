import { type InboundWork, LinkSession, type Session } from '@pinwheel/holder';
import type { Log } from '@pinwheel/membership';
import { type CloseCode, closeCodes, type Message, PinwheelError, type Receipt } from '@pinwheel/protocol';
import type { Application } from './application.js';
import type { NodeCounters } from './node-counters.js';
import { Turns, type TurnsLimits, taskBytes } from './turns.js';

/** A session that the application can answer. */
export interface ReplySession extends Session {
  reply(data: string | Uint8Array): boolean;
}

export interface InboundOptions {
  readonly application: Application;
  readonly limits: TurnsLimits;
  readonly counters: NodeCounters;
  readonly log: Log;
  readonly send: (user: string, data: string | Uint8Array) => Promise<Receipt>;
  /** Takes a client's message to another user. */
  readonly pass: (message: Message) => Promise<Receipt>;
}

/** A message of a client to another user. */
export interface ClientSend {
  readonly number: number;
  readonly to: string;
  readonly data: Uint8Array;
  readonly binary: boolean;
  readonly waitForClient: boolean;
}

/** Hands what clients do to the application, in order for each user, and closes those whom it fails. */
export class Inbound implements InboundWork {
  readonly #options: InboundOptions;
  readonly #turns: Turns;
  /** Sessions that the application refused: it hears no more of them. */
  readonly #refused = new WeakSet<Session>();
  /** Sessions that it failed on a message of: it gets none of the later ones, which would be out of order. */
  readonly #failedOn = new WeakSet<Session>();

  constructor(options: InboundOptions) {
    this.#options = options;
    this.#turns = new Turns(options.limits);
  }

  /** Bytes that wait for the application. */
  get waitingBytes(): number {
    return this.#turns.bytes;
  }

  hold(user: string): Promise<void> | undefined {
    return this.#turns.hold(user);
  }

  letGo(user: string, hasLeft: boolean): void {
    this.#turns.letGo(user, hasLeft);
  }

  connected(session: ReplySession): void {
    const { application } = this.#options;
    // without `onConnect` too: the sessions that may end while the application is slow have a bound
    if (application.onConnect === undefined && application.onDisconnect === undefined) return;
    const { user, id, edge } = session;
    const taken = this.#turns.add(user, taskBytes, () =>
      this.#call(session, closeCodes.refused, () => application.onConnect?.({ user, session: id, edge })),
    );
    if (taken) return;
    // it never heard of this session
    this.#refused.add(session);
    session.close(closeCodes.inboundOverflow, closeCodes.inboundOverflow.reason);
  }

  /**
   * @param data a copy that nobody else changes.
   * @param number of a message that its edge keeps until it is said to be processed.
   */
  received(session: ReplySession, data: string | Buffer, number?: number): void {
    const { application, counters, send } = this.#options;
    if (application.onMessage === undefined) {
      counters.inboundRefused++;
      session.close(closeCodes.notAccepted, closeCodes.notAccepted.reason);
      return;
    }
    counters.inboundMessages++;
    const { user, id } = session;
    const event = {
      user,
      session: id,
      data,
      reply: (text: string | Uint8Array) => session.reply(text),
      send,
    };
    this.#add(session, data.length, number, () =>
      this.#call(session, closeCodes.applicationFailed, () => application.onMessage?.(event)),
    );
  }

  /** A client's message to another user, if the application lets it. Its number and `id` make it the same when it comes again. */
  sent(session: LinkSession, { number, to, data, binary, waitForClient }: ClientSend): void {
    const { user, id } = session;
    const copy = Buffer.from(data);
    const message = { user: to, data: copy, binary, id: `${id}-${number}`, waitForClient, repeated: true };
    this.#options.counters.clientSends++;
    this.#add(session, copy.length, number, async () => {
      const receipt = await this.#pass(user, session, message);
      session.link?.receipt(session.number, number, receipt);
    });
  }

  async #pass(from: string, session: LinkSession, message: Message): Promise<Receipt> {
    const { application, pass, log } = this.#options;
    const { user: to, data, binary } = message;
    const refused = (why: string): Receipt => ({
      user: to,
      status: 'overloaded',
      error: { code: 'not-allowed', message: why },
    });
    if (application.onSend === undefined) return refused('this service passes no messages between clients');
    try {
      const payload = binary ? Buffer.from(data) : Buffer.from(data).toString('utf8');
      const allowed = await application.onSend({ user: from, session: session.id, to, data: payload });
      return allowed === true ? await pass(message) : refused('the application refused the message');
    } catch (thrown) {
      this.#options.counters.applicationErrors++;
      const error = PinwheelError.from(thrown, 'application');
      log.warn({ user: from, session: session.id, error: error.message }, 'the application failed on a send');
      return { user: to, status: 'overloaded', error: { code: error.code, message: error.message } };
    }
  }

  /** In the user's order; one that has a number is done elsewhere when the user leaves before its turn. */
  #add(session: ReplySession, bytes: number, number: number | undefined, run: () => unknown): void {
    const task = (): unknown => {
      if (this.#failedOn.has(session)) return undefined;
      const running = run();
      if (number === undefined) return running;
      if (running instanceof Promise) return running.then(() => this.#processed(session, number));
      this.#processed(session, number);
      return undefined;
    };
    if (this.#turns.add(session.user, bytes + taskBytes, task, number === undefined)) return;
    this.#options.counters.inboundRefused++;
    session.close(closeCodes.inboundOverflow, closeCodes.inboundOverflow.reason);
  }

  #processed(session: ReplySession, number: number): void {
    if (session instanceof LinkSession && !this.#failedOn.has(session)) session.processed(number);
  }

  disconnected(session: Session, code: number, reason: string): void {
    const { application } = this.#options;
    if (application.onDisconnect === undefined || this.#refused.has(session)) return;
    const { user, id } = session;
    this.#turns.add(user, 0, () =>
      this.#call(session, undefined, () => application.onDisconnect?.({ user, session: id, code, reason })),
    );
  }

  /** Never throws; a promise only when the application returned one. */
  #call(session: Session, onFailure: CloseCode | undefined, call: () => unknown): unknown {
    if (this.#refused.has(session)) return undefined;
    try {
      const running = call();
      if (isThenable(running))
        return Promise.resolve(running).catch((thrown) => this.#failed(session, onFailure, thrown));
    } catch (thrown) {
      this.#failed(session, onFailure, thrown);
    }
    return undefined;
  }

  #failed(session: Session, onFailure: CloseCode | undefined, thrown: unknown): void {
    const error = PinwheelError.from(thrown, 'application');
    if (onFailure === closeCodes.refused) this.#refused.add(session);
    else this.#options.counters.applicationErrors++;
    if (onFailure === closeCodes.applicationFailed) this.#failedOn.add(session);
    const { user, id } = session;
    const stack = firstLinesOf(thrown);
    this.#options.log.warn({ user, session: id, error: error.message, ...stack }, 'the application failed');
    // an application that is away has refused nobody: the client may come again
    const close =
      error.code === 'unavailable' && onFailure !== undefined ? closeCodes.applicationFailed : onFailure;
    if (close !== undefined) session.close(close, close.reason);
  }
}

const stackLines = 5;

function firstLinesOf(thrown: unknown): { readonly stack?: string } {
  if (!(thrown instanceof Error) || typeof thrown.stack !== 'string') return {};
  return { stack: thrown.stack.split('\n', stackLines).join('\n') };
}

/** Whatever the application's own promises are made of. */
function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as { readonly then?: unknown } | null | undefined)?.then === 'function';
}
