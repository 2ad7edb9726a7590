import { type InboundWork, LinkSession, type Session } from '@pinwheel/holder';
import { type CloseCode, closeCodes, PinwheelError, type Receipt } from '@pinwheel/protocol';
import { AwaitedSends } from './awaited-sends.js';
import { boundedLog } from './bounded-log.js';
import { ifRepeated } from './client-receipt.js';
import { ClientSends, type ClientSendsOptions } from './client-sends.js';
import { logFailure } from './log-failure.js';

import { messageIdOf } from './message-id.js';

import { Turns, taskBytes } from './turns.js';

/** A session that the application can answer. */
export interface ReplySession extends Session {
  reply(data: string | Uint8Array): boolean;
}

export interface InboundOptions extends ClientSendsOptions {
  readonly send: (user: string, data: string | Uint8Array) => Promise<Receipt>;
}

/** A message of a client to another user. */
export interface ClientSend {
  readonly number: number;
  readonly to: string;
  readonly data: Uint8Array;
  readonly binary: boolean;
  readonly waitForClient: boolean;
  /** It may have been delivered before, and its receipt lost. */
  readonly repeated: boolean;
}

/** Hands what clients do to the application, in order for each user, and closes those whom it fails. */
export class Inbound implements InboundWork {
  readonly #options: InboundOptions;
  readonly #turns: Turns;
  /** Sessions that the application refused: it hears no more of them. */
  readonly #refused = new WeakSet<Session>();
  /**
   * How often it failed on a message of a session: it gets none of those that had come behind it, which would be out of
   * order. A client that comes back to its session sends them again.
   */
  readonly #failures = new WeakMap<Session, number>();
  readonly #sends: ClientSends;
  readonly #awaited = new AwaitedSends();

  constructor(options: InboundOptions) {
    this.#options = { ...options, log: boundedLog(options.log) };
    this.#turns = new Turns(options.limits);
    this.#sends = new ClientSends(this.#options);
  }

  /** Bytes that wait for the application. */
  get waitingBytes(): number {
    return this.#turns.bytes;
  }

  /** What the application has yet to hear that no other node will tell it. */
  get onlyHere(): number {
    return this.#turns.staying;
  }

  hold(user: string): Promise<void> | undefined {
    return this.#turns.hold(user);
  }

  letGo(user: string, hasLeft: boolean): void {
    this.#turns.letGo(user, hasLeft);
  }

  /** The application has not heard of this session, and hears nothing of its end. */
  neverBegins(session: Session): void {
    this.#refused.add(session);
  }

  connected(session: ReplySession): void {
    const { application } = this.#options;
    const { user, id, edge } = session;
    const connect = (): unknown => {
      if (session instanceof LinkSession) session.announced = true;
      return this.#call(session, closeCodes.refused, () =>
        application.onConnect?.({ user, session: id, edge }),
      );
    };
    // without `onConnect` too: the sessions that may end while the application is slow have a bound
    const isHeard = application.onConnect !== undefined || application.onDisconnect !== undefined;
    // a user who leaves before its turn takes the session along, which begins where it comes to
    if (!isHeard || this.#turns.add(user, taskBytes, connect, !(session instanceof LinkSession))) return;
    this.neverBegins(session);
    session.close(closeCodes.inboundOverflow, closeCodes.inboundOverflow.reason);
  }

  /**
   * @param data a copy that nobody else changes.
   * @param number of a message that its edge keeps until it is said to be processed.
   */
  received(session: ReplySession, data: string | Buffer, number?: number): void {
    const { application, counters } = this.#options;
    if (application.onMessage === undefined) {
      counters.inboundRefused++;
      session.close(closeCodes.notAccepted, closeCodes.notAccepted.reason);
      return;
    }
    counters.inboundMessages++;
    const { user, id } = session;
    const event = {
      // worked out when it is asked for
      get id() {
        return number === undefined ? undefined : messageIdOf(user, id, number);
      },
      user,
      session: id,
      data,
      reply: (answer: string | Uint8Array) => session.reply(checkedData(answer)),
      send: (to: string, answer: string | Uint8Array) => this.#send(user, to, answer),
    };
    this.#add(session, data.length, number, () =>
      this.#call(session, closeCodes.applicationFailed, () => application.onMessage?.(event), number),
    );
  }

  /** A client's message to another user, if the application lets it. Its number and `id` make it the same when it comes again. */
  sent(session: LinkSession, { number, to, data, binary, waitForClient, repeated }: ClientSend): void {
    const { user, id } = session;
    const awaited = this.#awaited.add(session, number);
    if (awaited === undefined) return;
    const copy = Buffer.from(data);
    const messageId = messageIdOf(user, id, number);
    const message = { user: to, data: copy, binary, id: messageId, waitForClient, repeated: true };
    this.#options.counters.clientSends++;
    const hasRoom = this.#add(session, copy.length, number, async () => {
      awaited.hasBegun = true;
      const passed = (await this.#sends.refusal(session, message)) ?? this.#sends.pass(user, message);
      const answered = Promise.resolve(passed).then((receipt) => {
        this.#awaited.over(session, number, awaited);
        session.link?.receipt(session.number, number, repeated ? ifRepeated(receipt) : receipt);
      });
      // what waits for another client must not hold up what this one sends next, nor a handoff
      if (!waitForClient) await answered;
    });
    if (!hasRoom) this.#awaited.over(session, number, awaited);
  }

  /** What cannot be sent at all rejects, and ends no process when the application does not look. */
  #send(from: string, to: string, data: string | Uint8Array): Promise<Receipt> {
    const { send, log } = this.#options;
    const sent = send(to, data);
    sent.catch((thrown) =>
      log.warn({ user: from, error: PinwheelError.from(thrown).message }, 'the application could not send'),
    );
    return sent;
  }

  /** In the user's order; one that has a number is done elsewhere when the user leaves before its turn. Whether there is room. */
  #add(session: ReplySession, bytes: number, number: number | undefined, run: () => unknown): boolean {
    const failures = this.#failures.get(session);
    const isInOrder = (): boolean => this.#failures.get(session) === failures && !this.#refused.has(session);
    const processed = (): void => {
      if (number !== undefined && session instanceof LinkSession && isInOrder()) session.processed(number);
    };
    const task = (): unknown => {
      if (!isInOrder()) return undefined;
      const running = run();
      if (running instanceof Promise) return running.then(processed);
      processed();
      return undefined;
    };
    if (this.#turns.add(session.user, bytes + taskBytes, task, number === undefined)) return true;
    this.#options.counters.inboundRefused++;
    this.#interrupt(session, closeCodes.inboundOverflow, firstMissing(session, number));
    return false;
  }

  /** Closes the connection. @param from the first of the client's messages that was not processed and will not be. */
  #interrupt(session: Session, code: CloseCode, from: number | undefined): void {
    if (from === undefined || !(session instanceof LinkSession) || !session.acknowledges) {
      session.close(code, code.reason);
      return;
    }
    session.interrupt(code, code.reason, from);
  }

  disconnected(session: Session, code: number, reason: string): void {
    const { application } = this.#options;
    if (application.onDisconnect === undefined || this.#refused.has(session)) return;
    const { user, id } = session;
    this.#turns.add(user, 0, () => {
      if (session instanceof LinkSession && !session.announced) return undefined;
      return this.#call(session, undefined, () =>
        application.onDisconnect?.({ user, session: id, code, reason }),
      );
    });
  }

  /** Never throws; a promise only when the application returned one. */
  #call(session: Session, onFailure: CloseCode | undefined, call: () => unknown, number?: number): unknown {
    if (this.#refused.has(session)) return undefined;
    const failed = (thrown: unknown): void => this.#failed(session, onFailure, thrown, number);
    try {
      const running = call();
      if (isThenable(running)) return Promise.resolve(running).catch(failed);
    } catch (thrown) {
      failed(thrown);
    }
    return undefined;
  }

  #failed(session: Session, onFailure: CloseCode | undefined, thrown: unknown, number?: number): void {
    if (onFailure === closeCodes.refused) this.#refused.add(session);
    else this.#options.counters.applicationErrors++;
    if (onFailure === closeCodes.applicationFailed) {
      this.#failures.set(session, (this.#failures.get(session) ?? 0) + 1);
      if (session instanceof LinkSession) this.#awaited.dropped(session);
    }
    // an application that is away has refused nobody: the client may come again
    const close = isUnavailable(thrown) && onFailure !== undefined ? closeCodes.applicationFailed : onFailure;
    logFailure(this.#options.log, session, thrown, close === closeCodes.refused);
    if (close !== undefined) this.#interrupt(session, close, number);
  }
}

/**
 * The first of a client's numbers that is not in the line, when there is no room for that one: itself when it is new. One
 * that was taken already, and is sent again for its receipt, says nothing of those that wait.
 */
function firstMissing(session: Session, number: number | undefined): number | undefined {
  if (!(session instanceof LinkSession) || number === undefined || number === session.accepted) return number;
  return session.accepted + 1;
}

/** By its code alone: an application may have a copy of its own of the error's class, or use none. */
function isUnavailable(thrown: unknown): boolean {
  try {
    return thrown instanceof Error && 'code' in thrown && thrown.code === 'unavailable';
  } catch {
    // whatever an application throws, it ends no process
    return false;
  }
}

/** @throws PinwheelError `bad-request`. */
function checkedData(data: string | Uint8Array): string | Uint8Array {
  if (typeof data === 'string' || data instanceof Uint8Array) return data;
  throw new PinwheelError('bad-request', `a reply is ${typeof data}; it must be a text or a Uint8Array`);
}

/** Whatever the application's own promises are made of. */
function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as { readonly then?: unknown } | null | undefined)?.then === 'function';
}
