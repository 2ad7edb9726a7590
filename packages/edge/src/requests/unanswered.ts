import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/**
 * Connections on which a request waits for its answer. node:http reads what is behind it all the same: an upgrade there
 * would be answered first, and the answer to the request would come among its frames.
 */
export class Unanswered {
  readonly #counts = new WeakMap<Socket, number>();

  /** Before the server listens. */
  constructor(server: Server) {
    server.on('request', ({ socket }: IncomingMessage, response: ServerResponse) => {
      this.#counts.set(socket, this.#of(socket) + 1);
      response.once('close', () => this.#counts.set(socket, this.#of(socket) - 1));
    });
  }

  /** Cuts a connection off on which a request waits; says whether one did. */
  cutOff(socket: Socket): boolean {
    const waits = this.#of(socket) > 0;
    if (waits) socket.destroy();
    return waits;
  }

  #of(socket: Socket): number {
    return this.#counts.get(socket) ?? 0;
  }
}
