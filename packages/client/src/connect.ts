/// <reference lib="esnext.disposable" preserve="true" />
import { type ClientReceipt, PinwheelError } from '@pinwheel/protocol/client';
import { ClientCore, type SendToOptions } from './client-core.js';
import type { ClientOptions } from './client-options.js';
import type { ClientStatus } from './client-status.js';
import type { Clock } from './client-world.js';
import { newSessionKey } from './session-key.js';
import { protocolsWith } from './token.js';
import { wakingClock } from './waking-clock.js';
import { openWebSocket, type WebSocketConstructor } from './web-socket-port.js';

export interface ConnectOptions extends ClientOptions {
  /** Default: the global one. Node.js before 22 has none: give it that of the package `ws`. */
  readonly webSocket?: WebSocketConstructor;
}

/** A user's connection, through however many sockets one after the other. */
export interface Connection {
  /** How it is now; `onStatus` tells every change. */
  readonly status: ClientStatus;
  /**
   * Sends to the application at the server; resolves when it has processed the message. Messages are processed once, in
   * the order of the calls, also when the connection breaks meanwhile. Bytes may be changed after the call.
   *
   * @throws PinwheelError (rejects). Not sent: `overloaded` when too much waits already, `deadline` when there was no
   * connection in time, `closed`, `not-allowed` when the service takes no messages, and for what cannot be sent `too-large`
   * (over 1,048,576 bytes) or `bad-request`.
   * `unknown-outcome`: sent, and no word of it in time or before the end; it may yet be processed.
   */
  send(data: string | Uint8Array): Promise<void>;
  /**
   * Sends to another user; resolves with the receipt, which says what became of the message.
   *
   * It has a name of its own because `send(to, data)` beside `send(data)` would turn a forgotten argument into a message
   * to the wrong place.
   *
   * @throws PinwheelError (rejects) as `send`, `bad-user`, and `bad-option` for another `wait`.
   */
  sendTo(user: string, data: string | Uint8Array, options?: SendToOptions): Promise<ClientReceipt>;
  /**
   * Ends the session: what waits for an answer is rejected, and nothing is kept for it at the server. Resolves when the
   * socket is closed, at most 5 s later. May be called twice. Without a connection the server keeps the session until its
   * resume window is over.
   */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Connects to an edge as `pinwheel.v1`, and again after whatever ends the connection, until `close` is called or the
 * server closes it for good.
 *
 * @param url `wss://…`, `ws://…`, or in a page one relative to it. With `http` and `https` the matching one is taken.
 * @throws PinwheelError `bad-option`.
 */
export function connect(url: string | URL, options: ConnectOptions = {}): Connection {
  const address = webSocketUrl(url);
  const WebSocket = options.webSocket ?? globalWebSocket();
  // a function's is checked when it gives one
  if (typeof options.token === 'string') protocolsWith(options.token);
  const core = new ClientCore(newSessionKey(), options, {
    clock: systemClock,
    random: Math.random,
    open: (protocols, events) => openWebSocket(WebSocket, address, protocols, events),
  });
  // the caller has the connection before its callbacks are called
  queueMicrotask(() => core.start());
  followNetwork(core);
  return {
    get status() {
      return core.status;
    },
    send: (data) => core.send(data),
    sendTo: (user, data, sendOptions) => core.sendTo(user, data, sendOptions),
    close: () => core.close(),
    [Symbol.asyncDispose]: () => core.close(),
  };
}

const systemClock: Clock = {
  now: wakingClock(),
  after: (ms, call) => {
    const timer = setTimeout(call, ms);
    return () => clearTimeout(timer);
  },
};

const schemes = new Map([
  ['ws:', 'ws:'],
  ['wss:', 'wss:'],
  ['http:', 'ws:'],
  ['https:', 'wss:'],
]);

function webSocketUrl(given: string | URL): string {
  const page = (globalThis as { readonly location?: { readonly href: string } }).location?.href;
  let url: URL;
  try {
    url = new URL(given, page);
  } catch (cause) {
    throw new PinwheelError(
      'bad-option',
      `url is ${JSON.stringify(given)}; it must be one, as wss://host/ws`,
      {
        cause,
      },
    );
  }
  const scheme = schemes.get(url.protocol);
  if (scheme === undefined) {
    throw new PinwheelError('bad-option', `url begins with ${url.protocol}; it must with wss: or ws:`);
  }
  url.protocol = scheme;
  // a WebSocket refuses a URL with a fragment
  url.hash = '';
  return url.href;
}

function globalWebSocket(): WebSocketConstructor {
  const { WebSocket } = globalThis as { readonly WebSocket?: WebSocketConstructor };
  if (WebSocket !== undefined) return WebSocket;
  throw new PinwheelError(
    'bad-option',
    'there is no WebSocket here: give webSocket that of the package ws, or use Node.js 22 or later',
  );
}

/** A page is told when its device is in a network again. */
function followNetwork(core: ClientCore): void {
  const { addEventListener, removeEventListener } = globalThis as Partial<NetworkEvents>;
  if (addEventListener === undefined || removeEventListener === undefined) return;
  const changed = (): void => core.networkChanged();
  addEventListener('online', changed);
  void core.ended.then(() => removeEventListener('online', changed));
}

interface NetworkEvents {
  addEventListener(type: 'online', listener: () => void): void;
  removeEventListener(type: 'online', listener: () => void): void;
}
