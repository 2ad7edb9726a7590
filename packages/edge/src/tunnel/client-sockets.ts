import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import type { OpenSockets } from '@pinwheel/server';

/** Every client's socket of a server, from its connection to its end: also those that node:http forgets at an upgrade. */
export class ClientSockets {
  readonly #open = new Set<Socket>();

  /** Before the server listens. */
  constructor(server: Server, sockets: OpenSockets) {
    server.on('connection', (socket: Socket) => {
      this.#open.add(socket);
      // for as long as it lives: node:http takes its own listener away at an upgrade, and a reset would end the process
      socket.on('error', ignore);
      socket.once('close', () => {
        this.#open.delete(socket);
        sockets.left();
      });
      if (!sockets.came()) socket.destroy();
    });
    // the same connection as TLS sees it, which ends with it
    server.on('secureConnection', (socket: Socket) => socket.on('error', ignore));
  }

  get open(): ReadonlySet<Socket> {
    return this.#open;
  }

  /** Cuts all of them off; resolves when they are gone. */
  async destroy(): Promise<void> {
    const gone = [...this.#open].map((socket) => new Promise((resolve) => socket.once('close', resolve)));
    for (const socket of this.#open) socket.destroy();
    await Promise.all(gone);
  }
}

function ignore(): void {}
