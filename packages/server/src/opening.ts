import type { HttpResponse, us_socket_context_t, WebSocket } from './uws.js';

/**
 * Makes upgrades outside of their request's own turn.
 *
 * At the end of a cork, uWebSockets.js (20.x) looks whether to close what was an HTTP connection, in memory that the
 * upgrade has given back. What is allocated in between may be read there, and the new socket is closed without a word.
 * Entering or leaving a function of JavaScript allocates when the engine compiles it, or installs code that it has
 * optimised in the background; so does the first value of another kind in a property. Hence the engine's own functions
 * make the upgrade and hand over the socket, by way of an array, and the socket gets its data afterwards.
 */
export class Opening<Data extends object> {
  readonly #opened: [WebSocket<Data> | undefined] = [undefined];

  /** The server's `open` handler. */
  readonly open: (socket: WebSocket<Data>) => void = Reflect.set.bind(undefined, this.#opened, 0);

  /** @returns the new socket, unless it was closed while it opened: then its data are `{}`. */
  upgrade(
    response: HttpResponse,
    data: Data,
    key: string,
    protocol: string,
    extensions: string,
    context: us_socket_context_t,
  ): WebSocket<Data> | undefined {
    response.cork(response.upgrade.bind(response, {}, key, protocol, extensions, context));
    const [socket] = this.#opened;
    this.forget();
    if (socket !== undefined) Object.assign(socket.getUserData(), data);
    return socket;
  }

  /** For the `close` handler: a socket that was closed while it opened is not handed out. */
  forget(): void {
    this.#opened[0] = undefined;
  }
}
