import { Buffer } from 'node:buffer';
import type { IncomingMessage } from 'node:http';
import { PinwheelError } from '@pinwheel/protocol';

const maxBodyBytes = 65_536;

/**
 * The whole body of a request.
 *
 * @throws PinwheelError `too-large` over 64 KiB.
 */
export async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > maxBodyBytes) {
      throw new PinwheelError('too-large', `the body has more than ${maxBodyBytes} bytes`);
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

const bodyAfterAnswerMs = 10_000;

/**
 * What is left of a body behind its answer is waited for, for a while: a connection that is ended at once could take the
 * answer with it, as its client is still writing.
 */
export function awaitBody(request: IncomingMessage): void {
  const timer = setTimeout(() => request.socket.destroy(), bodyAfterAnswerMs).unref();
  request.once('close', () => clearTimeout(timer));
}

/** Throws away what is left of a body, and calls when all of it has come or its time is over. */
export function discardBody(request: IncomingMessage, over: () => void): void {
  request.unpipe();
  request.resume();
  const timer = setTimeout(over, bodyAfterAnswerMs).unref();
  request.once('close', () => {
    clearTimeout(timer);
    over();
  });
}

export function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || (headers['content-length'] ?? '0') !== '0';
}

/** @throws PinwheelError `bad-request` for what is not JSON. */
export function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString());
  } catch (cause) {
    throw new PinwheelError('bad-request', 'the body is not JSON', { cause });
  }
}
