import { type FileRoom, maxOpenFiles, roomWithin } from './open-files.js';
import type { TemplatedApp } from './uws.js';

export interface OpenSocketsOptions {
  /** Files that are open for a client: its socket, and what is opened for it. */
  readonly filesPerClient: number;
  readonly counters: { sockets: number };
  readonly log: {
    info(fields: object, text: string): void;
    warn(fields: object, text: string): void;
  };
  /** `undefined`: no bound. Default: what the system says. */
  readonly maxOpenFiles?: number | undefined;
}

/** Between two lines, or a flood of clients would be one of lines. */
const pauseMs = 10_000;

/**
 * The sockets of a port for clients, from their connection to their end. Those that the limit of open files leaves no room for
 * end as they open: a process that has no descriptor left reaches nobody, and uWebSockets.js asks again and again for the
 * connections that it cannot take.
 */
export class OpenSockets {
  /** How much room there is; `undefined`: no bound. */
  readonly room: FileRoom | undefined;
  readonly #options: OpenSocketsOptions;
  #size = 0;
  #silentUntil = Number.NEGATIVE_INFINITY;

  constructor(options: OpenSocketsOptions) {
    this.#options = options;
    const files = 'maxOpenFiles' in options ? options.maxOpenFiles : maxOpenFiles();
    this.room = files === undefined ? undefined : roomWithin(files, options.filesPerClient);
  }

  /** Those that are open. */
  get size(): number {
    return this.#size;
  }

  /** Whether there is no room for another one. */
  get isFull(): boolean {
    return this.room !== undefined && this.#size >= this.room.maxSockets;
  }

  /** As many clients as are wanted, or as there is room for; the log says so then. */
  connectionsWithin(maxConnections: number): number {
    if (this.room === undefined || maxConnections <= this.room.maxConnections) return maxConnections;
    const { maxOpenFiles, maxConnections: possible } = this.room;
    this.#options.log.info(
      { maxOpenFiles, maxConnections, possible },
      'the limit of open files leaves room for fewer clients than maxConnections: raise it (ulimit -n, LimitNOFILE=)',
    );
    return possible;
  }

  /** Before the server listens, and behind whoever else looks at its connections: they may be closed within this. */
  follow(app: TemplatedApp): void {
    app.filter(((response, change) => {
      if (change === -1) this.left();
      else if (!this.came()) response.close();
    }) as Parameters<TemplatedApp['filter']>[0]);
  }

  /** One has opened; `left` follows in any case. @returns whether it may stay. */
  came(): boolean {
    const { isFull } = this;
    this.#size++;
    if (!isFull) return true;
    this.#options.counters.sockets++;
    this.#tell();
    return false;
  }

  /** One has ended; also to be called when a WebSocket ends, of which uWebSockets.js does not tell its filter. */
  left(): void {
    this.#size--;
  }

  #tell(): void {
    const now = performance.now();
    if (now < this.#silentUntil) return;
    this.#silentUntil = now + pauseMs;
    const { maxOpenFiles, maxSockets } = this.room!;
    this.#options.log.warn(
      { sockets: this.#size, maxSockets, maxOpenFiles },
      'the limit of open files leaves room for no more clients: new connections are closed as they open; raise it (ulimit -n)',
    );
  }
}
