import type { ClientRequest, IncomingMessage, ServerResponse } from 'node:http';
import { PinwheelError } from '@pinwheel/protocol';
import { isGone } from '../http/is-gone.js';
import { isUnreachable } from './client-stand-in.js';

/** What became of a plain request sent to a backend. */
export type ExchangeResult =
  /** Its body is still to be passed on, read or destroyed. */
  | { readonly kind: 'answer'; readonly answer: IncomingMessage }
  | { readonly kind: 'failed'; readonly failure: ExchangeFailure; readonly error: Error };

/**
 * `stale`: a connection that was kept from an earlier request broke: most likely the backend had ended it already and has
 * seen nothing of this one.
 */
export type ExchangeFailure = 'unreachable' | 'broken' | 'stale' | 'timeout';

/** The guards around one plain request that node-http-proxy makes. */
export class Exchange {
  #done: ((result: ExchangeResult) => void) | undefined;
  #outgoing: ClientRequest | undefined;
  #isReused = false;
  readonly #path: string;
  readonly #response: ServerResponse;
  readonly #timeoutMs: number;

  constructor(
    path: string,
    response: ServerResponse,
    timeoutMs: number,
    done: (result: ExchangeResult) => void,
  ) {
    this.#path = path;
    this.#response = response;
    this.#timeoutMs = timeoutMs;
    this.#done = done;
  }

  /** The request has its socket, but its headers are not sent. */
  begin(outgoing: ClientRequest): void {
    if (!outgoing.headersSent) outgoing.path = this.#path;
    const { req: request } = this.#response;
    if (isGone(this.#response)) {
      outgoing.destroy();
      return;
    }
    this.#outgoing = outgoing;
    this.#isReused = outgoing.reusedSocket;
    outgoing.setTimeout(this.#timeoutMs, () => {
      outgoing.destroy(
        new PinwheelError('deadline', `nothing came from the backend for ${this.#timeoutMs} ms`),
      );
    });
    // without this one Node.js ends the connection, and tells nobody that there will be no answer
    outgoing.once('upgrade', ({ statusCode }, socket) => {
      socket.on('error', () => {});
      socket.destroy();
      this.fail(
        new PinwheelError('unreachable', `it answered ${statusCode} to a request that asks for no upgrade`),
      );
    });
    const onClose = (): void => {
      if (!this.#response.writableFinished) outgoing.destroy();
    };
    this.#response.once('close', onClose);
    outgoing.once('close', () => {
      this.#response.off('close', onClose);
      // the rest of a body that the backend has not taken is read all the same: its client may read the answer behind it
      request.unpipe(outgoing);
      if (!request.complete) request.resume();
    });
  }

  answered(answer: IncomingMessage): void {
    // a reset in the middle of the body is an error of the answer; whoever passes it on sees its end too
    answer.on('error', () => {});
    answer.once('end', () => this.#goOnWithBody());
    if (!this.#settle({ kind: 'answer', answer })) answer.destroy();
  }

  /**
   * The answer is whole. If the body is not, node:http does not tell any more when the backend has taken what was written: the
   * body would stop there, and with it everything that comes behind it from the client.
   */
  #goOnWithBody(): void {
    const outgoing = this.#outgoing;
    const socket = outgoing?.socket;
    // one that is being ended tells of its end
    if (outgoing === undefined || !socket?.writable || outgoing.writableFinished) return;
    const onDrain = (): void => {
      if (outgoing.writableNeedDrain && !socket.writableNeedDrain) outgoing.emit('drain');
    };
    // the response has been written, and says nothing any more of a client that goes
    const { req: request } = this.#response;
    const onClose = (): void => {
      if (!request.complete) outgoing.destroy();
    };
    socket.on('drain', onDrain);
    request.once('close', onClose);
    outgoing.once('close', () => {
      socket.off('drain', onDrain);
      request.off('close', onClose);
    });
    onDrain();
  }

  fail(error: Error): void {
    const deadline = error instanceof PinwheelError && error.code === 'deadline';
    this.#settle({ kind: 'failed', failure: deadline ? 'timeout' : this.#brokenAs(error), error });
  }

  #brokenAs(error: Error): ExchangeFailure {
    if (isUnreachable(error)) return 'unreachable';
    return this.#isReused ? 'stale' : 'broken';
  }

  #settle(result: ExchangeResult): boolean {
    const done = this.#done;
    this.#done = undefined;
    done?.(result);
    return done !== undefined;
  }
}
