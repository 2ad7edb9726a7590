import { createHash } from 'node:crypto';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { checkHead } from './check-head.js';
import { type Refusal, refusal } from './refusal.js';

const keyPattern = /^[A-Za-z0-9+/]{21}[AQgw]==$/;
/** RFC 6455, section 1.3. */
const acceptSuffix = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

/**
 * Whether a request is a WebSocket upgrade as RFC 6455, section 4.2.1 asks for, without a body: bytes behind the
 * headers that proxy and backend could read differently are the way to smuggle a request.
 *
 * @returns why not, or `undefined`.
 */
export function checkUpgrade(request: IncomingMessage): Refusal | undefined {
  const { headers } = request;
  const wrongHead = checkHead(request);
  if (wrongHead !== undefined) return wrongHead;
  if (request.method !== 'GET') return bad(`method is ${request.method}; an upgrade must be GET`);
  if (request.httpVersion !== '1.1')
    return bad(`HTTP version is ${request.httpVersion}; an upgrade must be 1.1`);
  if (headers.upgrade?.toLowerCase() !== 'websocket') {
    return bad(`upgrade is ${shown(headers.upgrade)}; it must be websocket`);
  }
  const dropped = connectionTokens(headers);
  if (!dropped.includes('upgrade')) {
    return bad(`connection is ${shown(headers.connection)}; it must contain upgrade`);
  }
  const needed = dropped.find((name) => name === 'host' || name.startsWith('sec-websocket-'));
  if (needed !== undefined) return bad(`connection names ${needed}, which an upgrade needs`);
  if (headers['sec-websocket-version'] !== '13') {
    return {
      ...refusal(
        426,
        'bad-request',
        `sec-websocket-version is ${shown(headers['sec-websocket-version'])}; it must be 13`,
      ),
      headers: { 'sec-websocket-version': '13' },
    };
  }
  if (!keyPattern.test(headers['sec-websocket-key'] ?? '')) {
    return bad('sec-websocket-key must be 16 bytes in base64');
  }
  if (headers['content-length'] !== undefined || headers['transfer-encoding'] !== undefined) {
    return bad('an upgrade must not have a body: content-length and transfer-encoding are not allowed');
  }
  return undefined;
}

/** What a server that read this key answers in `sec-websocket-accept`. */
export function acceptOf(key: string): string {
  return createHash('sha1')
    .update(key + acceptSuffix)
    .digest('base64');
}

/** The names in `connection`, in lower case. */
export function connectionTokens(headers: IncomingHttpHeaders): readonly string[] {
  return (headers.connection ?? '')
    .split(',')
    .map((token) => token.trim().toLowerCase())
    .filter((token) => token !== '');
}

function bad(message: string): Refusal {
  return refusal(400, 'bad-request', message);
}

function shown(value: string | undefined): string {
  return value === undefined ? 'missing' : JSON.stringify(value.slice(0, 80));
}
