import { headers, PinwheelError } from '@pinwheel/protocol';
import { type HttpRequest, type HttpResponse, statusLineOf } from '@pinwheel/server';
import { type ApiCaller, checkBody, type Verifier } from '@pinwheel/trust';
import type { Unanswered } from '../counters/node-counters.js';
import type { LinkTurn } from '../link/link-turn.js';
import { callOf } from './call-of.js';
import { bodyLength, type HeadLines, readHeadLines } from './head-lines.js';
import { grown, leavesRest, tooLarge } from './request-body.js';

export type AnswerHeaders = Readonly<Record<string, string>>;

/**
 * One HTTP request and its answer, safe against what uWebSockets.js leaves to its user: nothing is read of a request
 * behind its handler, nothing is written to one whose client has gone, and writes happen in one cork. What nobody asks for
 * is not read: a node has a request for every message that comes alone.
 */
export class Exchange {
  readonly method: string;
  readonly #response: HttpResponse;
  readonly #failed: (exchange: Exchange, thrown: unknown) => void;
  readonly #unanswered: Unanswered;
  readonly #linkTurn: Pick<LinkTurn, 'whenWritten'>;
  /** Until the handler first returns. */
  #request: HttpRequest | undefined;
  #path: string | undefined;
  #query: string | undefined;
  #lines!: HeadLines;
  #contentType: string | undefined;
  /** Bytes of the body; `undefined` when it comes in chunks. */
  #announced: number | undefined;
  #gone = false;
  #answer: 'none' | 'begun' | 'whole' = 'none';
  #isLast = false;
  /** That the body must have, as the caller has proven. */
  #bodyDigest: string | undefined;
  #apiCaller: ApiCaller | undefined;
  /** Gives back the room that the body has taken. */
  #release: ((left?: number) => void) | undefined;
  #isReading = false;
  #whenGone: Set<() => void> | undefined;
  /** Who waits for the body as a promise. */
  #reject: ((thrown: unknown) => void) | undefined;

  /**
   * @param failed is told when what `whenRead` was given throws.
   * @param unanswered where it counts until its end.
   * @param linkTurn before whose end nothing is answered: it may be of what is written then.
   */
  constructor(
    response: HttpResponse,
    request: HttpRequest,
    method: string,
    failed: (exchange: Exchange, thrown: unknown) => void,
    unanswered: Unanswered,
    linkTurn: Pick<LinkTurn, 'whenWritten'>,
  ) {
    this.#linkTurn = linkTurn;
    this.#response = response;
    this.#request = request;
    this.method = method;
    this.#failed = failed;
    this.#unanswered = unanswered;
    unanswered.count++;
    response.onAborted(() => {
      this.#gone = true;
      if (this.#answer !== 'whole') unanswered.count--;
      this.#release?.();
      for (const call of this.#whenGone ?? []) call();
      this.#refuseBody(new PinwheelError('closed', 'the caller closed the connection'));
    });
  }

  /** To be read before the handler first returns, as `query` and `contentType`; then it stays. */
  get path(): string {
    this.#path ??= this.#readable('path').getUrl();
    return this.#path;
  }

  /** Without the question mark, still encoded. */
  get query(): string {
    this.#query ??= this.#readable('query').getQuery() ?? '';
    return this.#query;
  }

  /**
   * Reads where this request ends. To be called first.
   *
   * @throws PinwheelError `bad-request` when nobody can be sure of that, and so not of where the next request begins.
   */
  readLength(): void {
    this.#isLast = true;
    this.#lines = readHeadLines(this.#readable('head'));
    this.#announced = bodyLength(this.#lines);
    this.#isLast = false;
  }

  get contentType(): string {
    this.#contentType ??= this.#readable('content-type').getHeader('content-type');
    return this.#contentType;
  }

  /**
   * Has the caller prove that it is of this service. To be called before the handler first returns.
   *
   * @throws PinwheelError `not-authenticated`.
   */
  prove(verifier: Verifier, self: string, request: HttpRequest): void {
    this.#bodyDigest = verifier.verify(callOf(request, self), request.getHeader(headers.proof));
  }

  /** The caller is none of this service, and has shown an API key. */
  admitted(caller: ApiCaller): void {
    this.#apiCaller = caller;
  }

  /**
   * Counts messages against the rate of the caller's API key; processes of this service have none. All of them count,
   * or none.
   *
   * @throws PinwheelError `limit-reached`.
   */
  spend(messages: number): void {
    this.#apiCaller?.spend(messages);
  }

  /** Whether the caller has closed the connection: nobody hears an answer. */
  get isGone(): boolean {
    return this.#gone;
  }

  /** @param call is made when the caller closes the connection. Returns what takes it back. */
  whenGone(call: () => void): () => void {
    this.#whenGone ??= new Set();
    const calls = this.#whenGone.add(call);
    return () => calls.delete(call);
  }

  /** One of our own headers, as above; `undefined` when missing. @throws PinwheelError `bad-request` when it cannot be read. */
  header(name: string): string | undefined {
    const value = this.#readable(name).getHeader(name);
    if (value !== '') return value;
    if (!this.#lines.empty.includes(name)) return undefined;
    throw new PinwheelError('bad-request', `${name} is empty, or begins with a character that is not ASCII`);
  }

  /** The handler has returned: uWebSockets.js has taken the request back. */
  returned(): void {
    this.#request = undefined;
  }

  /**
   * The whole body, the one that was proven. To be called before the handler first returns, once.
   *
   * @throws PinwheelError (rejects) `not-authenticated`; `too-large`; `closed` when the caller goes away.
   */
  readBody(maxBytes: number): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      this.#reject = reject;
      this.whenRead(maxBytes, resolve);
    });
  }

  /** As `readBody`, for less: the call is made as soon as the body is there, and what goes wrong is the answer. */
  whenRead(maxBytes: number, use: (body: Buffer) => void | Promise<void>): void {
    const announced = this.#announced;
    this.#isReading = true;
    try {
      this.#release = this.#apiCaller?.reserve(Math.min(maxBytes, announced ?? maxBytes));
    } catch (thrown) {
      // it is not read
      this.#isLast = true;
      this.#refuseBody(thrown);
      return;
    }
    if (announced !== undefined && announced > maxBytes) {
      this.#refuseBody(tooLarge(announced, maxBytes));
      return;
    }
    // uWebSockets.js says nothing of an empty body whose head has come in pieces
    if (announced === 0) {
      this.#hasRead(Buffer.alloc(0), use);
      return;
    }
    // small ones share their memory: to allocate it for each costs more than to read it
    let body: Buffer = Buffer.allocUnsafe(announced ?? 4096);
    let length = 0;
    this.#response.onData((chunk, isLast) => {
      if (!this.#isReading) return;
      const end = length + chunk.byteLength;
      if (end > maxBytes) {
        this.#refuseBody(tooLarge(`at least ${end}`, maxBytes));
        return;
      }
      if (end > body.length) body = grown(body, length, Math.min(maxBytes, Math.max(end, body.length * 2)));
      // the chunk is gone when this returns
      body.set(new Uint8Array(chunk), length);
      length = end;
      if (!isLast) return;
      this.#release?.(body.length);
      this.#hasRead(length === body.length ? body : body.subarray(0, length), use);
    });
  }

  #hasRead(body: Buffer, use: (body: Buffer) => void | Promise<void>): void {
    try {
      if (this.#bodyDigest !== undefined) checkBody(this.#bodyDigest, body);
      const using = use(body);
      if (using instanceof Promise) using.catch((thrown) => this.#failed(this, thrown));
      this.#isReading = false;
    } catch (thrown) {
      this.#refuseBody(thrown);
    }
  }

  #refuseBody(thrown: unknown): void {
    if (!this.#isReading) return;
    this.#isReading = false;
    if (this.#reject === undefined) this.#failed(this, thrown);
    else this.#reject(thrown);
  }

  #readable(what: string): HttpRequest {
    if (this.#request !== undefined) return this.#request;
    throw new Error(`${what} is read too late: the request is there only until its handler first returns`);
  }

  json(status: number, value: unknown, extra?: AnswerHeaders): void {
    this.send(status, 'application/json', JSON.stringify(value), extra);
  }

  /** Answers with 200 and the first part of a body; `end` gives the rest. */
  begin(contentType: string, part: Uint8Array, extra?: AnswerHeaders): void {
    if (this.#isOver) return;
    this.#answer = 'begun';
    this.#write(() => {
      this.#response.writeHeader('content-type', contentType);
      for (const name in extra) this.#response.writeHeader(name, extra[name]!);
      this.#response.write(part);
    });
  }

  /** The rest of an answer that was begun. */
  end(rest: Uint8Array): void {
    if (this.#isOver) return;
    this.#over();
    this.#write(() => this.#response.end(rest, this.#isLast));
  }

  /** Answers once; an answer to somebody who has gone, or a second one, is dropped. */
  send(status: number, contentType: string, body: string | Uint8Array, extra?: AnswerHeaders): void {
    if (this.#isOver) return;
    // whoever has heard a part of another answer must not take this one for the rest of it
    if (this.#answer === 'begun') {
      this.#response.close();
      return;
    }
    this.#over();
    this.#write(() => {
      // 200 is what it says by itself
      if (status !== 200) this.#response.writeStatus(statusLineOf(status));
      this.#response.writeHeader('content-type', contentType);
      for (const name in extra) this.#response.writeHeader(name, extra[name]!);
      if (this.method === 'HEAD') {
        // a body would be taken for the next answer; told its length, uWebSockets.js would wait for it for ever
        if (this.#isLast) this.#response.end('', true);
        else this.#response.endWithoutBody();
        return;
      }
      this.#response.end(body, this.#isLast || leavesRest(status, this.#announced));
    });
  }

  #write(write: () => void): void {
    this.#linkTurn.whenWritten(() => {
      if (!this.#gone) this.#response.cork(write);
    });
  }

  /** Whatever else is said is said to nobody. */
  get #isOver(): boolean {
    return this.#gone || this.#answer === 'whole';
  }

  #over(): void {
    this.#answer = 'whole';
    this.#release?.();
    this.#unanswered.count--;
  }

  fail(thrown: unknown): void {
    const error = PinwheelError.from(thrown);
    const status = error.httpStatus;
    const waits = status === 503 || status === 429;
    const seconds = String(Math.ceil((error.retryAfterMs ?? 1000) / 1000));
    this.json(status, error, waits ? { 'retry-after': seconds } : undefined);
  }
}
