import type { Log } from '@pinwheel/membership';
import { type CloseCode, closeCodes, PinwheelError, type Receipt } from '@pinwheel/protocol';
import type { Application } from './application.js';
import type { NodeCounters } from './node-counters.js';
import type { Session } from './session.js';
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
}

/** Hands what clients do to the application, in order for each user, and closes those whom it fails. */
export class Inbound {
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

  /** @param data a copy that nobody else changes. */
  received(session: ReplySession, data: string | Buffer): void {
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
    const taken = this.#turns.add(user, data.length + taskBytes, () =>
      this.#failedOn.has(session)
        ? undefined
        : this.#call(session, closeCodes.applicationFailed, () => application.onMessage?.(event)),
    );
    if (taken) return;
    counters.inboundRefused++;
    session.close(closeCodes.inboundOverflow, closeCodes.inboundOverflow.reason);
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
