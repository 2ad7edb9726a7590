import { clientProtocol } from '@pinwheel/protocol/client';
import type { SocketEvents, SocketPort } from './client-world.js';

/** What is used of a WebSocket; that of browsers, of Node.js 22 and of the package `ws` have it. */
export interface WebSocketLike {
  binaryType: string;
  readonly protocol: string;
  readonly bufferedAmount?: number;
  onopen: ((event: never) => void) | null;
  onmessage: ((event: never) => void) | null;
  onerror: ((event: never) => void) | null;
  onclose: ((event: never) => void) | null;
  /** Is given a text or a `Uint8Array`. `never`, as with the events: of which bytes exactly, each kind says otherwise. */
  send(data: never): void;
  close(code: number, reason: string): void;
}

export type WebSocketConstructor = new (url: string, protocols: string[]) => WebSocketLike;

/**
 * Opens a real socket.
 *
 * @throws what the constructor throws, for example for a URL that the page may not use.
 */
export function openWebSocket(
  WebSocket: WebSocketConstructor,
  url: string,
  protocols: string[],
  events: SocketEvents,
): SocketPort {
  const socket = new WebSocket(url, protocols);
  socket.binaryType = 'arraybuffer';
  // why it closed, when the close itself does not say: a browser only tells that there was an error, others which
  let why = '';
  socket.onopen = () => {
    if (socket.protocol === clientProtocol) {
      events.opened();
    } else {
      why = `the server does not speak ${clientProtocol}`;
      socket.close(1000, '');
    }
  };
  socket.onmessage = ({ data }: { readonly data: string | ArrayBuffer }) => {
    if (typeof data === 'string') events.text(data);
    else events.binary(new Uint8Array(data));
  };
  socket.onerror = ({ message }: { readonly message?: string }) => {
    why = message ?? '';
  };
  socket.onclose = ({ code, reason }: { readonly code: number; readonly reason: string }) => {
    events.closed(code, reason === '' ? why : reason);
  };
  return socket;
}
