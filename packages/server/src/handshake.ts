import { PinwheelError } from '@pinwheel/protocol';
import { mostHeadBytes } from './head-bound.js';
import type { HttpRequest } from './uws.js';

/** What `response.upgrade` needs of a request, which cannot be read later. */
export interface Handshake {
  readonly key: string;
  /** The subprotocols that are offered, separated by commas. */
  readonly protocol: string;
  readonly extensions: string;
}

/** Why a request is no upgrade that can be taken, and how that is answered. */
export interface WrongHandshake {
  readonly status: 400 | 426 | 431;
  readonly headers: Readonly<Record<string, string>>;
  readonly wrong: PinwheelError;
}

/** Those that one server could read from the first line and another from the last. */
const onceOnly: ReadonlySet<string> = new Set([
  'host',
  'upgrade',
  'content-length',
  'transfer-encoding',
  'sec-websocket-key',
  'sec-websocket-version',
]);

const keyPattern = /^[A-Za-z0-9+/]{22}==$/;

/**
 * Checks an upgrade as RFC 6455, section 4.2.1 asks for: uWebSockets.js checks little of it itself. To be called before
 * the handler first returns.
 *
 * @param maxHeadBytes of target and headers together: uWebSockets.js bounds only what comes in pieces.
 */
export function readHandshake(
  request: HttpRequest,
  maxHeadBytes: number = mostHeadBytes,
): Handshake | WrongHandshake {
  const { repeated, protocols, bytes, hasCoding } = readHead(request);
  if (bytes > maxHeadBytes) {
    const why = `the request has ${bytes} bytes of target and headers; it must have at most ${maxHeadBytes}`;
    return { status: 431, headers: {}, wrong: new PinwheelError('head-too-large', why) };
  }
  if (repeated !== undefined) return wrong(`the header ${repeated} is there twice`);
  const version = request.getHeader('sec-websocket-version');
  if (version !== '13') return wrong(`sec-websocket-version is ${shown(version)}; it must be 13`, 426);
  const connection = request.getHeader('connection').toLowerCase().split(',');
  if (!connection.some((token) => token.trim() === 'upgrade'))
    return wrong('the connection header lacks "upgrade"');
  if (request.getHeader('upgrade').toLowerCase() !== 'websocket')
    return wrong('the upgrade header must be "websocket"');
  const length = request.getHeader('content-length');
  if ((length !== '' && length !== '0') || hasCoding) return wrong('an upgrade has no body');
  const key = request.getHeader('sec-websocket-key');
  if (!keyPattern.test(key)) return wrong('sec-websocket-key must be 16 bytes in base64');
  return {
    key,
    protocol: protocols.join(','),
    extensions: request.getHeader('sec-websocket-extensions'),
  };
}

/**
 * What one look at all lines tells: the bytes of target and headers; a header that is there twice and must not be; whether
 * there is a `transfer-encoding`, be it empty; and all offers of subprotocols, which may come on several lines.
 */
function readHead(request: HttpRequest) {
  const seen = new Set<string>();
  const protocols: string[] = [];
  let repeated: string | undefined;
  let bytes = request.getUrl().length + (request.getQuery() ?? '').length;
  request.forEach((name, value) => {
    bytes += name.length + value.length;
    if (name === 'sec-websocket-protocol') protocols.push(value);
    if (!onceOnly.has(name)) return;
    if (seen.has(name)) repeated ??= name;
    seen.add(name);
  });
  return { repeated, protocols, bytes, hasCoding: seen.has('transfer-encoding') };
}

function wrong(why: string, status: 400 | 426 = 400): WrongHandshake {
  const headers: WrongHandshake['headers'] = status === 426 ? { 'sec-websocket-version': '13' } : {};
  return { status, headers, wrong: new PinwheelError('bad-request', why) };
}

function shown(value: string): string {
  return JSON.stringify(value.slice(0, 80));
}
