import {
  BatchWriter,
  batchContentType,
  type ErrorCode,
  headers,
  isErrorCode,
  maxDeadlineMs,
  type OutgoingMessage,
  PinwheelError,
  Receipts,
} from '@pinwheel/protocol';
import { Pool } from 'undici';

/** How a batch that was posted ended. */
export type Outcome =
  | {
      readonly kind: 'answered';
      readonly receipts: Receipts;
      /** How many users the node holds that its ring gives to another, and the ring it says that of. */
      readonly foreignUsers: number;
      readonly fingerprint: string;
    }
  | { readonly kind: 'failed'; readonly error: PinwheelError };

export interface PostOptions {
  /** Default: a batch in binary. */
  readonly contentType?: string;
  readonly deadlineMs: number;
  /** How often these messages have been forwarded. */
  readonly hops?: number;
  readonly noForward?: boolean;
}

const nothingWasSent = new Set([
  'ECONNREFUSED',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
  'UND_ERR_CONNECT_TIMEOUT',
]);
const maxAnswerBytes = 16_777_216;
const maxQuoted = 400;

/**
 * Posts batches to one node over kept-alive HTTP. `post` may be called while another is under way; a batch's
 * bytes are copied before it returns control.
 */
export class NodeClient {
  readonly #pool: Pool;
  readonly #name: string;
  #idleWriters: BatchWriter[] = [];

  /** @param origin for example `http://10.0.0.1:7001`. */
  constructor(name: string, origin: string, connectTimeoutMs = 1000) {
    this.#name = `${name} (${origin})`;
    this.#pool = new Pool(origin, {
      pipelining: 1,
      connections: 4,
      connect: { timeout: connectTimeoutMs },
      // shorter than the node's, so that a request never meets a connection that the node is closing
      keepAliveTimeout: 4000,
      headersTimeout: 0,
      bodyTimeout: 0,
      maxResponseSize: maxAnswerBytes,
    });
  }

  /** Never rejects. */
  async post(messages: readonly OutgoingMessage[], options: PostOptions): Promise<Outcome> {
    const writer = this.#idleWriters.pop() ?? new BatchWriter();
    const abort = new AbortController();
    const timer = setTimeout(() => abort.abort(), Math.max(1, options.deadlineMs));
    try {
      const answer = await this.#pool.request({
        method: 'POST',
        path: '/v1/messages',
        headers: requestHeaders(options),
        body: writer.write(messages),
        signal: abort.signal,
      });
      const body = Buffer.from(await answer.body.arrayBuffer());
      if (answer.statusCode !== 200)
        return { kind: 'failed', error: refusal(this.#name, answer.statusCode, body) };
      // answered in full, so the request has been read: its bytes are no longer needed
      this.#idleWriters.push(writer);
      return {
        kind: 'answered',
        receipts: this.#decode(body, messages.length),
        foreignUsers: Number(answer.headers[headers.foreignUsers] ?? 0),
        fingerprint: String(answer.headers[headers.fingerprint] ?? ''),
      };
    } catch (thrown) {
      return { kind: 'failed', error: this.#failure(thrown, abort.signal.aborted, options.deadlineMs) };
    } finally {
      clearTimeout(timer);
    }
  }

  /**
   * Any other request.
   *
   * @throws PinwheelError (rejects) `unreachable`, `unknown-outcome` or `deadline`.
   */
  async call(
    method: string,
    path: string,
    options: PostOptions,
    body?: string | Uint8Array,
  ): Promise<{ readonly status: number; readonly body: string }> {
    const signal = AbortSignal.timeout(Math.max(1, Math.round(options.deadlineMs)));
    try {
      const answer = await this.#pool.request({
        method: method as 'GET',
        path,
        headers: requestHeaders(options),
        body: body ?? null,
        signal,
      });
      return { status: answer.statusCode, body: await answer.body.text() };
    } catch (thrown) {
      throw this.#failure(thrown, signal.aborted, options.deadlineMs);
    }
  }

  /** Cuts what is under way. */
  async close(): Promise<void> {
    await this.#pool.destroy();
  }

  /** An answer that cannot be read says nothing about what became of the batch. */
  #decode(body: Buffer, length: number): Receipts {
    try {
      return Receipts.decode(body, length);
    } catch (cause) {
      const why = PinwheelError.from(cause).message;
      throw new PinwheelError('unknown-outcome', `node ${this.#name} answered nonsense: ${why}`, { cause });
    }
  }

  #failure(thrown: unknown, late: boolean, deadlineMs: number): PinwheelError {
    if (thrown instanceof PinwheelError) return thrown;
    if (late) {
      return new PinwheelError(
        'deadline',
        `node ${this.#name} did not answer within ${Math.round(deadlineMs)} ms`,
        {
          cause: thrown,
        },
      );
    }
    const { code, message } = thrown as { code?: unknown; message?: unknown };
    const unsent = typeof code === 'string' && nothingWasSent.has(code);
    return new PinwheelError(
      unsent ? 'unreachable' : 'unknown-outcome',
      unsent
        ? `node ${this.#name} cannot be reached: ${message}`
        : `the connection to node ${this.#name} broke before it answered: ${message}`,
      { cause: thrown },
    );
  }
}

function requestHeaders(options: PostOptions): Record<string, string> {
  const named: Record<string, string> = {
    'content-type': options.contentType ?? batchContentType,
    [headers.deadlineMs]: String(Math.min(maxDeadlineMs, Math.max(1, Math.round(options.deadlineMs)))),
  };
  if (options.hops !== undefined) named[headers.hops] = String(options.hops);
  if (options.noForward === true) named[headers.noForward] = '1';
  return named;
}

function refusal(name: string, status: number, body: Buffer): PinwheelError {
  const said = errorIn(body);
  const code: ErrorCode = said?.code ?? (status === 503 ? 'unavailable' : 'internal');
  const why = said?.message ?? body.toString('utf8', 0, maxQuoted);
  return new PinwheelError(code, `node ${name} answered ${status}: ${why.slice(0, maxQuoted)}`);
}

function errorIn(body: Buffer): { code: ErrorCode; message: string } | undefined {
  try {
    const { code, message } = JSON.parse(body.toString('utf8')).error;
    return isErrorCode(code) ? { code, message: String(message) } : undefined;
  } catch {
    return undefined;
  }
}
