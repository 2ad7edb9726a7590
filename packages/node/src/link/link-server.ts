import { Buffer } from 'node:buffer';
import type { Holder, LinkSocket, NodeLink } from '@pinwheel/holder';
import { maxLinkMessageBytes, PinwheelError } from '@pinwheel/protocol';
import {
  type HttpRequest,
  type HttpResponse,
  noCompression,
  readHandshake,
  statusLineOf,
  type TemplatedApp,
  type WebSocket,
  type WrongHandshake,
} from '@pinwheel/server';
import { followKeys, type Key, type KeySource } from '@pinwheel/trust';

interface LinkData {
  /** By which its edge has proven itself; missing without keys. */
  readonly key: Key | undefined;
  link: NodeLink | undefined;
  socket: UwsLinkSocket | undefined;
}

/** What uWebSockets.js says of a message above `maxBackpressure`. */
const dropped = 2;
/** Above the link's own bound, for what it writes before it looks. */
const slackBytes = maxLinkMessageBytes;

/** A uWebSockets.js socket as a link sees it: any use of a closed one would throw. */
class UwsLinkSocket implements LinkSocket {
  #socket: WebSocket<LinkData> | undefined;

  constructor(socket: WebSocket<LinkData>) {
    this.#socket = socket;
  }

  get unreadBytes(): number {
    return this.#socket?.getBufferedAmount() ?? 0;
  }

  send(bytes: Uint8Array): void {
    // what is dropped nobody would miss: without the link all its sessions are brought anew
    if (this.#socket?.send(bytes, true, false) === dropped) this.#socket.close();
  }

  close(code: number, reason: string): void {
    this.#socket?.end(code, Buffer.from(reason).subarray(0, 123).toString());
  }

  gone(): void {
    this.#socket = undefined;
  }
}

/** RFC 6455, 7.4.1. */
const policyViolation = 1008;

/**
 * Takes the links of edges at `/v1/link` of the internal server, and closes those whose key is taken out: an edge that has
 * another opens a new one.
 *
 * @param check throws for an upgrade that is not taken.
 * @returns the call that ends the look at the keys.
 */
export function serveLinks(
  app: TemplatedApp,
  holder: Holder,
  maxUnreadBytes: number,
  keys: KeySource | undefined,
  check: (request: HttpRequest) => Key | undefined,
): () => void {
  const open = new Set<LinkData>();
  app.ws<LinkData>('/v1/link', {
    compression: noCompression,
    maxPayloadLength: maxLinkMessageBytes,
    maxBackpressure: maxUnreadBytes + slackBytes,
    // the link has a keep-alive of its own, which both ends know
    idleTimeout: 0,
    sendPingsAutomatically: false,
    upgrade: (response, request, context) => {
      const handshake = readHandshake(request);
      if ('wrong' in handshake) {
        refuse(response, handshake.wrong, handshake.status, handshake.headers);
        return;
      }
      const key = keyOrRefusal(() => check(request));
      if (key instanceof PinwheelError) {
        refuse(response, key, key.httpStatus, {});
        return;
      }
      const data: LinkData = { key, link: undefined, socket: undefined };
      response.upgrade(data, handshake.key, '', '', context);
    },
    open: (socket) => {
      const data = socket.getUserData();
      data.socket = new UwsLinkSocket(socket);
      data.link = holder.openLink(data.socket);
      open.add(data);
    },
    message: (socket, message) => socket.getUserData().link!.received(new Uint8Array(message)),
    drain: (socket) => socket.getUserData().link!.drained(),
    close: (socket) => {
      const data = socket.getUserData();
      open.delete(data);
      data.socket!.gone();
      data.link!.gone();
    },
  });
  if (keys === undefined) return () => {};
  return followKeys(keys, (now) => {
    for (const { key, link } of open) {
      if (key !== undefined && !now.has(key)) link!.close(policyViolation, `key ${key.id} is taken out`);
    }
  });
}

function refuse(
  response: HttpResponse,
  wrong: PinwheelError,
  status: number,
  headers: WrongHandshake['headers'],
): void {
  response.writeStatus(statusLineOf(status)).writeHeader('content-type', 'application/json');
  for (const [name, value] of Object.entries(headers)) response.writeHeader(name, value);
  // closed: where a request ends that is refused for its head may be doubtful
  response.end(JSON.stringify(wrong), true);
}

function keyOrRefusal(check: () => Key | undefined): Key | undefined | PinwheelError {
  try {
    return check();
  } catch (thrown) {
    return PinwheelError.from(thrown);
  }
}
