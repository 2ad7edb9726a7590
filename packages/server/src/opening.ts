import type { WebSocket } from './uws.js';

/**
 * Hands the socket that an upgrade opens to whoever has made the upgrade, once the cork around it is over.
 *
 * The open handler does nothing more, and nothing that allocates: at the end of a cork, uWebSockets.js (20.x) looks whether
 * to close what was an HTTP connection, in memory that the upgrade has given back. What is allocated in between may be read
 * there. A function that runs for the first time is compiled, which allocates: the constructor has seen to that.
 */
export class Opening<Data> {
  #socket: WebSocket<Data> | undefined;

  constructor() {
    this.open(undefined);
  }

  /** The server's `open` handler. */
  readonly open = (socket: WebSocket<Data> | undefined): void => {
    this.#socket = socket;
  };

  /** The socket that has been opened; nobody gets it twice. */
  take(): WebSocket<Data> | undefined {
    const socket = this.#socket;
    this.#socket = undefined;
    return socket;
  }
}
