import type { ClientPort, EdgeWorld } from './edge-world.js';

/** A client for whom frames were collected. */
export interface Collecting {
  /** Whether there is more than one. */
  readonly isMany: boolean;
  /** Writes all of them to the client's socket. */
  flush(): void;
  /** The part of `flush` that is corked. */
  writeAll(): void;
}

/**
 * What one turn of the event loop brings for clients: a frame that comes alone is written at once, and several for one
 * client become one write at the end of the turn.
 */
export class WriteTurn {
  readonly #world: EdgeWorld;
  #collecting: Collecting[] = [];
  #spare: Collecting[] = [];
  #isScheduled = false;
  #corked: Collecting | undefined;

  constructor(world: EdgeWorld) {
    this.#world = world;
  }

  /** The first frame of this turn for that client. */
  add(client: Collecting): void {
    this.#collecting.push(client);
  }

  /** A link message has been read. */
  messageRead(): void {
    const collecting = this.#collecting;
    if (this.#isScheduled || collecting.length === 0) return;
    if (collecting.length === 1 && !collecting[0]!.isMany) {
      collecting.pop()!.flush();
      return;
    }
    this.#isScheduled = true;
    this.#world.soon(this.#end);
  }

  /** One write for everything that `client` writes. */
  cork(port: ClientPort, client: Collecting): void {
    this.#corked = client;
    port.cork(this.#writeCorked);
  }

  // one function for all clients: a closure for each write would be one for each message
  readonly #writeCorked = (): void => {
    const client = this.#corked;
    this.#corked = undefined;
    client?.writeAll();
  };

  readonly #end = (): void => {
    this.#isScheduled = false;
    const collected = this.#collecting;
    this.#collecting = this.#spare;
    for (let i = 0; i < collected.length; i++) collected[i]!.flush();
    collected.length = 0;
    this.#spare = collected;
  };
}
