import { Buffer } from 'node:buffer';
import { type ServerResponse, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { discardBody, hasBody } from './read-body.js';
import type { Refusal } from './refusal.js';

/**
 * Writes an HTTP answer to a socket whose upgrade was refused, and ends it. What the client sends is thrown away;
 * a client that does not close is cut off after `lingerMs`. The socket must have a listener for errors.
 */
export function answerUpgrade(socket: Socket, refused: Refusal, lingerMs: number): void {
  const body = bodyOf(refused);
  const head = answerHead(refused.status, STATUS_CODES[refused.status] ?? '', {
    ...refused.headers,
    'content-type': 'application/json',
    'content-length': String(Buffer.byteLength(body)),
  });
  endSocket(socket, lingerMs, head + body);
}

/**
 * What becomes of the connection. `keep`: it stays, unless a body is outstanding. `close`: it ends, behind a body that is
 * outstanding, as a client that is still writing could lose the answer. `cut`: it ends at once, because nobody can be sure
 * where the body ends.
 */
export type AfterRefusal = 'keep' | 'close' | 'cut';

export function answerRequest(response: ServerResponse, refused: Refusal, after: AfterRefusal): void {
  if (response.headersSent || response.destroyed) {
    response.destroy();
    return;
  }
  const { req: request } = response;
  const isOutstanding = !request.complete && hasBody(request);
  if (isOutstanding || after !== 'keep') response.setHeader('connection', 'close');
  const body = bodyOf(refused);
  response.writeHead(refused.status, {
    ...refused.headers,
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
  });
  if (!isOutstanding || after === 'cut') {
    response.end(body);
    return;
  }
  response.write(body);
  discardBody(request, () => response.end());
}

/** Status line and headers of an answer after which the connection closes. */
export function answerHead(
  status: number,
  text: string,
  headers: Readonly<Record<string, string | readonly string[]>>,
): string {
  let head = `HTTP/1.1 ${status} ${text}\r\nconnection: close\r\n`;
  for (const [name, value] of Object.entries(headers)) {
    if (typeof value === 'string') head += `${name}: ${value}\r\n`;
    else for (const one of value) head += `${name}: ${one}\r\n`;
  }
  return `${head}\r\n`;
}

/** Ends a socket after what was written to it, and cuts it off when the other side does not close in time. */
export function endSocket(socket: Socket, lingerMs: number, last?: string): void {
  if (socket.destroyed) return;
  if (last === undefined) socket.end();
  else socket.end(last);
  socket.resume();
  const timer = setTimeout(() => socket.destroy(), lingerMs);
  socket.once('end', () => socket.destroySoon());
  socket.once('close', () => clearTimeout(timer));
}

function bodyOf(refused: Refusal): string {
  return JSON.stringify({ error: { code: refused.code, message: refused.message } });
}
