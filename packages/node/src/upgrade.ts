import { decodeUserId, headers, PinwheelError, rawQueryValue } from '@pinwheel/protocol';
import type { HttpRequest } from './uws.js';

/** What is read of an upgrade request; nothing of it can be read later. */
export interface UpgradeRequest {
  readonly user: string;
  readonly edge: string | undefined;
  /** Of the ring by which the edge chose this node. */
  readonly fingerprint: string | undefined;
  readonly key: string;
  readonly protocol: string;
  readonly extensions: string;
}

const headerText = /^[\x20-\x7e]{1,128}$/;

/**
 * uWebSockets.js checks little of an upgrade itself.
 *
 * @throws PinwheelError that says what is wrong with it.
 */
export function readUpgrade(request: HttpRequest): UpgradeRequest {
  const version = request.getHeader('sec-websocket-version');
  if (version !== '13') throw bad(`sec-websocket-version is ${JSON.stringify(version)}; it must be 13`);
  const connection = request.getHeader('connection').toLowerCase().split(',');
  if (!connection.some((token) => token.trim() === 'upgrade'))
    throw bad('the connection header lacks "upgrade"');
  if (request.getHeader('upgrade').toLowerCase() !== 'websocket')
    throw bad('the upgrade header must be "websocket"');
  const length = request.getHeader('content-length');
  if ((length !== '' && length !== '0') || request.getHeader('transfer-encoding') !== '') {
    throw bad('an upgrade has no body');
  }
  const key = request.getHeader('sec-websocket-key');
  if (!/^[A-Za-z0-9+/]{22}==$/.test(key)) throw bad('sec-websocket-key must be 16 bytes in base64');
  return {
    user: readUser(request),
    edge: readText(request, headers.edge),
    fingerprint: readText(request, headers.fingerprint),
    key,
    protocol: request.getHeader('sec-websocket-protocol'),
    extensions: request.getHeader('sec-websocket-extensions'),
  };
}

/** From the header that an edge sets, else from `?user=`. */
function readUser(request: HttpRequest): string {
  const named = request.getHeader(headers.user);
  if (named !== '') return decodeUserId(named);
  // the raw query: getQuery(name) would replace invalid bytes rather than refuse them
  const encoded = rawQueryValue(request.getQuery() ?? '', 'user');
  if (encoded === undefined) {
    throw new PinwheelError(
      'bad-user',
      `the user is missing; give it as ?user= or in the header ${headers.user}`,
    );
  }
  return decodeUserId(encoded);
}

function readText(request: HttpRequest, name: string): string | undefined {
  const value = request.getHeader(name);
  return headerText.test(value) ? value : undefined;
}

function bad(why: string): PinwheelError {
  return new PinwheelError('bad-request', why);
}
