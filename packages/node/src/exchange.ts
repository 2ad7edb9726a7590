import { headers, PinwheelError } from '@pinwheel/protocol';
import { type HttpRequest, type HttpResponse, statusLineOf } from '@pinwheel/server';
import { type ApiCaller, checkBody, type Verifier } from '@pinwheel/trust';
import { callOf } from './call-of.js';

export type AnswerHeaders = Readonly<Record<string, string>>;

/**
 * One HTTP request and its answer, safe against what uWebSockets.js leaves to its user: nothing is read of a request
 * behind its handler, nothing is written to a request whose client has gone, and writes happen in one cork.
 */
export class Exchange {
  readonly method: string;
  readonly path: string;
  /** Without the question mark, still encoded. */
  readonly query: string;
  readonly contentType: string;
  readonly #response: HttpResponse;
  /** Until the handler first returns. */
  #request: HttpRequest | undefined;
  readonly #contentLength: string;
  #gone = false;
  #answered = false;
  #isLast = false;
  /** That the body must have, as the caller has proven. */
  #bodyDigest: string | undefined;
  #apiCaller: ApiCaller | undefined;
  /** Gives back the room that the body has taken. */
  #release: (() => void) | undefined;
  #failBody: ((error: PinwheelError) => void) | undefined;

  constructor(response: HttpResponse, request: HttpRequest) {
    this.#response = response;
    this.method = request.getMethod().toUpperCase();
    this.path = request.getUrl();
    this.query = request.getQuery() ?? '';
    this.contentType = request.getHeader('content-type');
    this.#contentLength = request.getHeader('content-length');
    this.#request = request;
    response.onAborted(() => {
      this.#gone = true;
      this.#release?.();
      this.#failBody?.(new PinwheelError('closed', 'the caller closed the connection'));
    });
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

  /** One of our own headers; `undefined` when it is missing. To be called before the handler first returns. */
  header(name: string): string | undefined {
    if (this.#request === undefined) throw new Error(`the header ${name} is read too late`);
    const value = this.#request.getHeader(name);
    return value === '' ? undefined : value;
  }

  /** The handler has returned: uWebSockets.js has taken the request back. */
  returned(): void {
    this.#request = undefined;
  }

  /**
   * The whole body, the one that was proven. To be called before the handler first returns, once.
   *
   * @throws PinwheelError (rejects) `bad-request` for a length that is none; `not-authenticated`; `too-large`; `closed` when the caller goes away.
   */
  readBody(maxBytes: number): Promise<Buffer> {
    const said = this.#contentLength;
    if (!/^[0-9]*$/.test(said)) {
      const quoted = JSON.stringify(said.slice(0, 80));
      // where this body ends nobody knows, and so not where the next request begins
      this.#isLast = true;
      const error = new PinwheelError(
        'bad-request',
        `content-length is ${quoted}; it must be a whole number`,
      );
      return Promise.reject(error);
    }
    const announced = said === '' ? undefined : Number(said);
    try {
      this.#release = this.#apiCaller?.reserve(Math.min(maxBytes, announced ?? maxBytes));
    } catch (thrown) {
      // it is not read
      this.#isLast = true;
      return Promise.reject(thrown);
    }
    return new Promise((resolve, reject) => {
      this.#failBody = reject;
      const tooLarge = (bytes: number | string): void =>
        reject(
          new PinwheelError('too-large', `the body has ${bytes} bytes; it must have at most ${maxBytes}`),
        );
      if (announced !== undefined && announced > maxBytes) return tooLarge(announced);
      // small ones share their memory: to allocate it for each costs more than to read it
      let body: Buffer = Buffer.allocUnsafe(announced ?? 4096);
      let length = 0;
      this.#response.onData((chunk, isLast) => {
        const end = length + chunk.byteLength;
        if (end > maxBytes) return tooLarge(`at least ${end}`);
        if (end > body.length) body = grown(body, length, Math.min(maxBytes, Math.max(end, body.length * 2)));
        // the chunk is gone when this returns
        body.set(new Uint8Array(chunk), length);
        length = end;
        if (!isLast) return;
        const whole = length === body.length ? body : body.subarray(0, length);
        try {
          if (this.#bodyDigest !== undefined) checkBody(this.#bodyDigest, whole);
          resolve(whole);
        } catch (thrown) {
          reject(thrown as PinwheelError);
        }
      });
    });
  }

  json(status: number, value: unknown, extra: AnswerHeaders = {}): void {
    this.send(status, 'application/json', JSON.stringify(value), extra);
  }

  /** Answers once; an answer to somebody who has gone, or a second one, is dropped. */
  send(status: number, contentType: string, body: string | Uint8Array, extra: AnswerHeaders = {}): void {
    if (this.#gone || this.#answered) return;
    this.#answered = true;
    this.#release?.();
    this.#response.cork(() => {
      this.#response.writeStatus(statusLineOf(status)).writeHeader('content-type', contentType);
      for (const [name, value] of Object.entries(extra)) this.#response.writeHeader(name, value);
      if (this.method === 'HEAD') {
        // a body would be taken for the next answer
        this.#response.endWithoutBody(Buffer.byteLength(body));
        return;
      }
      // the rest of a body that is too large is not waited for
      this.#response.end(body, this.#isLast || status === 413);
    });
  }

  fail(thrown: unknown): void {
    const error = PinwheelError.from(thrown);
    const status = error.httpStatus;
    const waits = status === 503 || status === 429;
    const seconds = String(Math.ceil((error.retryAfterMs ?? 1000) / 1000));
    this.json(status, error, waits ? { 'retry-after': seconds } : {});
  }
}

function grown(body: Buffer, used: number, size: number): Buffer {
  const larger = Buffer.allocUnsafeSlow(size);
  body.copy(larger, 0, 0, used);
  return larger;
}
