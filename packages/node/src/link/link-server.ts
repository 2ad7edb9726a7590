import { Buffer } from 'node:buffer';
import type { Holder, LinkSocket, NodeLink } from '@pinwheel/holder';
import { maxLinkMessageBytes, PinwheelError } from '@pinwheel/protocol';
import {
  type HttpRequest,
  noCompression,
  readHandshake,
  statusLineOf,
  type TemplatedApp,
  type WebSocket,
} from '@pinwheel/server';

interface LinkData {
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

/**
 * Takes the links of edges at `/v1/link` of the internal server.
 *
 * @param check throws for an upgrade that is not taken.
 */
export function serveLinks(
  app: TemplatedApp,
  holder: Holder,
  maxUnreadBytes: number,
  check: (request: HttpRequest) => void,
): void {
  app.ws<LinkData>('/v1/link', {
    compression: noCompression,
    maxPayloadLength: maxLinkMessageBytes,
    maxBackpressure: maxUnreadBytes + slackBytes,
    // the link has a keep-alive of its own, which both ends know
    idleTimeout: 0,
    sendPingsAutomatically: false,
    upgrade: (response, request, context) => {
      const handshake = readHandshake(request);
      const wrong = 'wrong' in handshake ? handshake.wrong : refusalOf(() => check(request));
      if ('wrong' in handshake || wrong !== undefined) {
        const { status, headers } =
          'wrong' in handshake ? handshake : { status: wrong!.httpStatus, headers: {} };
        response.writeStatus(statusLineOf(status)).writeHeader('content-type', 'application/json');
        for (const [name, value] of Object.entries(headers)) response.writeHeader(name, value);
        // closed: where a request ends that is refused for its head may be doubtful
        response.end(JSON.stringify(wrong), true);
        return;
      }
      const data: LinkData = { link: undefined, socket: undefined };
      response.upgrade(data, handshake.key, '', '', context);
    },
    open: (socket) => {
      const data = socket.getUserData();
      data.socket = new UwsLinkSocket(socket);
      data.link = holder.openLink(data.socket);
    },
    message: (socket, message) => socket.getUserData().link!.received(new Uint8Array(message)),
    drain: (socket) => socket.getUserData().link!.drained(),
    close: (socket) => {
      const { link, socket: ours } = socket.getUserData();
      ours!.gone();
      link!.gone();
    },
  });
}

function refusalOf(check: () => void): PinwheelError | undefined {
  try {
    check();
    return undefined;
  } catch (thrown) {
    return PinwheelError.from(thrown);
  }
}
