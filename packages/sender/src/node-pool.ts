import {
  batchContentType,
  type ErrorCode,
  headers,
  isErrorCode,
  maxDeadlineMs,
  PinwheelError,
} from '@pinwheel/protocol';
import { type Signer, withProof } from '@pinwheel/trust';
import { Pool } from 'undici';

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
  // the member had left before the request
  'UND_ERR_CLOSED',
]);
const maxAnswerBytes = 16_777_216;
const maxQuoted = 400;

/**
 * Kept-alive connections to one node.
 *
 * @param origin for example `http://10.0.0.1:7001`.
 */
export function openPool(origin: string, connections: number, connectTimeoutMs: number): Pool {
  return new Pool(origin, {
    pipelining: 1,
    connections,
    connect: { timeout: connectTimeoutMs },
    // shorter than the node's, so that a request never meets a connection that the node is closing
    keepAliveTimeout: 4000,
    headersTimeout: 0,
    bodyTimeout: 0,
    maxResponseSize: maxAnswerBytes,
  });
}

/** What a request to a node is, for its proof. */
export interface ProvenRequest {
  readonly method: string;
  readonly path: string;
  /** Id of the node. */
  readonly to: string;
  readonly body?: string | Uint8Array | undefined;
}

/** The headers of one request, with a proof when there is somebody to sign it. */
export function signedHeaders(
  options: PostOptions,
  signer: Signer | undefined,
  { method, path, to, body }: ProvenRequest,
): Record<string, string> {
  return withProof(signer, { method, target: path, to }, requestHeaders(options), body);
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

/** @param late whether the request was cut because its time was over. */
export function failureOf(name: string, thrown: unknown, late: boolean, deadlineMs: number): PinwheelError {
  if (thrown instanceof PinwheelError) return thrown;
  if (late) {
    const why = `node ${name} did not answer within ${Math.round(deadlineMs)} ms`;
    return new PinwheelError('deadline', why, { cause: thrown });
  }
  const { code, message } = thrown as { code?: unknown; message?: unknown };
  const unsent = typeof code === 'string' && nothingWasSent.has(code);
  return new PinwheelError(
    unsent ? 'unreachable' : 'unknown-outcome',
    unsent
      ? `node ${name} cannot be reached: ${message}`
      : `the connection to node ${name} broke before it answered: ${message}`,
    { cause: thrown },
  );
}

/** What a node said with a status that is no answer, or somebody in between, who may have passed the request on. */
export function refusalOf(name: string, status: number, body: string): PinwheelError {
  const said = errorIn(body);
  const code = said?.code ?? codeOf(status);
  const why = said?.message ?? body;
  return new PinwheelError(code, `node ${name} answered ${status}: ${why.slice(0, maxQuoted)}`);
}

function codeOf(status: number): ErrorCode {
  if (status === 503) return 'unavailable';
  return status >= 500 ? 'unknown-outcome' : 'internal';
}

/** A node's own word; `undefined` for what is none. */
export function errorIn(body: string): { code: ErrorCode; message: string } | undefined {
  try {
    const { code, message } = JSON.parse(body).error;
    return isErrorCode(code) ? { code, message: String(message) } : undefined;
  } catch {
    return undefined;
  }
}
