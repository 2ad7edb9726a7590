import { eachOpened } from './each-opened.js';
import type { Heads } from './heads.js';
import { KeptRequest } from './kept-request.js';
import type { HttpRequest, HttpResponse, TemplatedApp } from './uws.js';

/** A connection that has brought no whole head yet. */
interface Waiting {
  readonly response: HttpResponse;
  readonly since: number;
}

/**
 * Ends the connections that bring no whole head in time, where that is shorter than the time of uWebSockets.js.
 *
 * A connection can be ended by the response that the filter of uWebSockets.js gives when it opens. That one must not be
 * used once there was an answer or an upgrade: it points to memory that may be somebody else's then. The handler of the
 * request does not tell it, for it gets another response of the same connection. What does tell it is its data handler: when
 * a head without a body is whole, uWebSockets.js calls the handler of the request and right behind it, before anything else
 * happens, the data handler (with nothing). So
 *
 * - the handler of a request answers nothing itself: it keeps what the request says, and goes on in a later turn;
 * - a request that may have a body, whose data handler may be called later or never, is ended at once;
 * - a connection that ends before its head is whole is told to its abort handler, whoever ends it.
 *
 * Should a head ever come whose data handler was not called, nobody is watched any more who was connected by then: the time
 * of uWebSockets.js is theirs.
 */
export class HeadWatch implements Heads {
  /** The oldest first. */
  readonly #waiting = new Set<Waiting>();
  readonly #timeoutMs: number;
  readonly #tooLate: () => void;
  readonly #timer: NodeJS.Timeout;
  /** Heads that came, and the data handler of whose connection was not called yet. In other turns than theirs, 0. */
  #untold = 0;

  constructor(timeoutMs: number, tooLate: () => void) {
    this.#timeoutMs = timeoutMs;
    this.#tooLate = tooLate;
    this.#timer = setInterval(() => this.#endThoseTooLate(), Math.min(250, timeoutMs / 4)).unref();
  }

  /** Connections that have brought no whole head. */
  get size(): number {
    return this.#waiting.size;
  }

  follow(app: TemplatedApp): void {
    eachOpened(app, (response) => this.#opened(response));
  }

  came(response: HttpResponse, request: HttpRequest, go: (request: HttpRequest) => void): void {
    const kept = new KeptRequest(request);
    if (mayHaveBody(kept)) {
      // its connection's abort handler is called within this
      response.close();
      return;
    }
    this.#untold++;
    let hasLeft = false;
    // takes the place of the connection's abort handler: from here on nothing but the data handler tells of it
    response.onAborted(() => {
      hasLeft = true;
    });
    setImmediate(() => {
      if (hasLeft) return;
      // an answer that cannot be written leaves the connection there: another head may come on it
      response.onData(this.#told);
      go(kept);
    });
  }

  close(): void {
    clearInterval(this.#timer);
    this.#waiting.clear();
  }

  readonly #told = (): void => {
    this.#untold--;
  };

  #opened(response: HttpResponse): void {
    const connection = { response, since: performance.now() };
    this.#waiting.add(connection);
    response.onData(() => {
      this.#told();
      this.#waiting.delete(connection);
    });
    response.onAborted(() => void this.#waiting.delete(connection));
  }

  #endThoseTooLate(): void {
    if (this.#untold !== 0) {
      this.#waiting.clear();
      this.#untold = 0;
    }
    const before = performance.now() - this.#timeoutMs;
    for (const { response, since } of this.#waiting) {
      if (since > before) return;
      this.#tooLate();
      response.close();
    }
  }
}

/** `content-length: 0` is one, too: of a head that came in parts uWebSockets.js tells nothing more then. */
function mayHaveBody(request: KeptRequest): boolean {
  let may = false;
  request.forEach((name) => {
    if (name === 'content-length' || name === 'transfer-encoding') may = true;
  });
  return may;
}
