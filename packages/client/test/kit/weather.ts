import type { FakeTimers } from '../../../migration/test/kit/fake-timers.js';
import type { ClientWorld, SocketEvents, SocketPort } from '../../src/index.js';
import type { FakeEdge, FromClient } from './fake-edge.js';

/** A socket between a client and an edge: in order, delayed, and cut when the test wants it. */
interface Line {
  /** Both ends are told that it is cut, the edge perhaps much later. */
  cut(edgeNoticesAfterMs: number): void;
}

/**
 * A network between one client and an edge. Every delay is drawn; what is under way when a line is cut is lost.
 * Counts what must never be: two lines at once.
 */
export class Weather implements ClientWorld {
  readonly clock: FakeTimers;
  readonly random: () => number;
  /** The most lines that were open at one time. */
  mostLines = 0;
  opened = 0;
  /** While it is true nothing opens. */
  isDown = false;
  readonly #edge: FakeEdge;
  readonly #user: string;
  readonly #lines = new Set<Line>();

  constructor(clock: FakeTimers, random: () => number, edge: FakeEdge, user: string) {
    this.clock = clock;
    this.random = random;
    this.#edge = edge;
    this.#user = user;
  }

  cut(edgeNoticesAfterMs: number): void {
    for (const line of this.#lines) line.cut(edgeNoticesAfterMs);
  }

  open(_protocols: string[], events: SocketEvents): SocketPort {
    let isCut = false;
    let server: FromClient | undefined;
    const toServer = this.#direction(() => !isCut);
    const toClient = this.#direction(() => !isCut);
    const line: Line = {
      cut: (edgeNoticesAfterMs) => {
        isCut = true;
        this.#lines.delete(line);
        this.#after(0, () => events.closed(1006, ''));
        this.#after(edgeNoticesAfterMs, () => server?.closed(1006));
      },
    };
    const closedByServer = (code: number, reason: string): void => {
      toClient(() => {
        isCut = true;
        this.#lines.delete(line);
        events.closed(code, reason);
      });
    };
    this.#lines.add(line);
    this.mostLines = Math.max(this.mostLines, this.#lines.size);
    if (this.isDown) {
      line.cut(0);
      return { send: () => {}, close: () => {} };
    }
    toServer(() => {
      this.opened++;
      server = this.#edge.connect(this.#user, {
        text: (data) => toClient(() => events.text(data)),
        binary: (data) => toClient(() => events.binary(data)),
        close: closedByServer,
      });
      toClient(() => events.opened());
    });
    return {
      send: (data) => toServer(() => (typeof data === 'string' ? server!.text(data) : server!.binary(data))),
      close: (code, reason) => {
        this.#lines.delete(line);
        toServer(() => {
          server?.closed(code);
          closedByServer(code, reason);
        });
      },
    };
  }

  /** In order: what is sent later does not come earlier. */
  #direction(isOpen: () => boolean): (call: () => void) => void {
    let last = 0;
    return (call) => {
      last = Math.max(last, this.clock.now() + this.random() * 40);
      this.#after(last - this.clock.now(), () => {
        if (isOpen()) call();
      });
    };
  }

  #after(ms: number, call: () => void): void {
    this.clock.after(ms, call);
  }
}
