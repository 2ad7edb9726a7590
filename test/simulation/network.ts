import { PinwheelError } from '@pinwheel/protocol';
import type { SimProcess } from './sim-process.js';
import { Wire, type WireEnd, type WireListener } from './wire.js';
import type { World } from './world.js';

/** What becomes of a call: how long each way takes, in ms, or that it is lost on it. */
export interface CallFate {
  readonly request: number | 'lost';
  readonly answer: number | 'lost';
  /** When whoever calls is told that the connection broke, whatever becomes of the request. */
  readonly brokenMs?: number;
}

export interface CallName {
  readonly from: string;
  readonly to: string;
  /** `claim`, `prepare`, `commit`, `messages`. */
  readonly what: string;
}

/** What a client says with its handshake. */
export interface ClientHello {
  readonly user: string;
  readonly speech: 'v1' | 'plain';
}

/** Where a process listens, whichever has the address now. */
export interface Listening {
  readonly process: SimProcess;
  /** A connection has come; gives the listener of its end. */
  accept(end: WireEnd, hello: ClientHello | undefined): WireListener;
}

const connectTimeoutMs = 1000;
/** Chance of a call to break behind a part of its answer, where calls are lost at all. */
const brokenBetweenParts = 0.3;
/** After so long without a sign of life the server of any socket gives it up, in ms. */
const silentMs = 20_000;

/** The network: connections and calls between processes, and everything that can befall them. */
export class Network {
  readonly wires = new Set<Wire>();
  readonly #world: World;
  readonly #listening = new Map<string, Listening>();
  readonly #parted = new Set<string>();
  /** Chance of a call to be lost on its way, each way. */
  lossRate = 0;
  /** Half of what is on its way takes up to so much longer, in ms. */
  slownessMs = 0;
  /** The delay of anything on its way, in ms. */
  delayMs: () => number;
  /** What becomes of each call; `undefined`: as chance will have it. */
  fateOf: (call: CallName) => CallFate | undefined = () => undefined;

  constructor(world: World) {
    this.#world = world;
    this.delayMs = () => {
      if (this.slownessMs > 0 && world.chance(0.5)) return world.random() * this.slownessMs;
      return world.chance(0.95) ? 0.2 + world.random() * 4 : world.random() * 300;
    };
  }

  listen(id: string, listening: Listening): void {
    this.#listening.set(id, listening);
  }

  /** Nobody listens there. */
  unlisten(id: string, process: SimProcess): void {
    if (this.#listening.get(id)?.process === process) this.#listening.delete(id);
  }

  isParted(one: string, other: string): boolean {
    return this.#parted.has(pairOf(one, other));
  }

  part(one: string, other: string): void {
    this.#parted.add(pairOf(one, other));
    for (const wire of this.wires) if (wire.isBetween(one, other)) wire.freeze();
  }

  heal(one: string, other: string): void {
    if (!this.#parted.delete(pairOf(one, other))) return;
    for (const wire of this.wires) if (wire.isBetween(one, other)) wire.thaw();
  }

  /** All is well from here on. */
  healAll(): void {
    for (const pair of [...this.#parted]) {
      const [one, other] = pair.split(' ') as [string, string];
      this.heal(one, other);
    }
    for (const wire of this.wires) wire.thaw();
    this.lossRate = 0;
    this.slownessMs = 0;
    this.delayMs = () => 0.2 + this.#world.random() * 4;
  }

  /** Begins to connect; the listener is told later. */
  dial(from: SimProcess, to: string, listener: WireListener, hello?: ClientHello): WireEnd {
    const wire = new Wire(
      this.#world,
      from,
      from,
      () => this.delayMs(),
      (over) => this.wires.delete(over),
    );
    this.wires.add(wire);
    wire.a.listener = listener;
    const refused = (): void => {
      wire.a.end(1006, 'refused');
      this.wires.delete(wire);
    };
    this.#world.after(this.delayMs(), undefined, () => {
      if (this.isParted(from.id, to)) {
        this.#world.after(connectTimeoutMs, from, refused);
        return;
      }
      const listening = this.#listening.get(to);
      if (listening === undefined) this.#world.after(this.delayMs(), from, refused);
      else this.#world.after(0, listening.process, () => this.#accept(wire, listening, hello));
    });
    return wire.a;
  }

  /** A process has ceased to be. @param isSilent its host with it: nobody is told, until they find out. */
  died(process: SimProcess, isSilent: boolean): void {
    for (const wire of [...this.wires]) {
      for (const end of [wire.a, wire.b]) {
        if (end.process !== process) continue;
        // a link notices by itself; a client's socket is given up by its edge's server in the end
        if (isSilent) wire.cut([silentMs, silentMs]);
        else wire.abandoned(end, this.#world.chance(0.5));
      }
    }
  }

  /**
   * A call to whoever listens there. Rejects with `unreachable` when nothing was sent, with `unknown-outcome` or
   * `deadline` when nobody knows.
   *
   * @param serve runs in the process that is called, when that is there. A part of the answer that it says comes before
   * the answer, on the same way.
   * @param heard takes such a part, unless the call has failed by then.
   */
  call<T>(
    from: SimProcess,
    to: string,
    what: string,
    timeoutMs: number,
    serve: (process: SimProcess, say: (part: T) => void) => T | Promise<T>,
    heard: (part: T) => void = () => {},
  ): Promise<T> {
    const world = this.#world;
    let isOver = false;
    const fate = this.fateOf({ from: from.id, to, what }) ?? this.#chance();
    return new Promise((resolve, reject) => {
      const fail = (afterMs: number, code: 'unreachable' | 'unknown-outcome' | 'deadline'): void => {
        world.after(afterMs, from, () => {
          isOver = true;
          reject(new PinwheelError(code, `${what} to ${to}: ${code}`));
        });
      };
      fail(timeoutMs, 'deadline');
      if (fate.brokenMs !== undefined) fail(fate.brokenMs, 'unknown-outcome');
      if (fate.request === 'lost') {
        if (world.chance(0.5)) fail(this.delayMs() * 2, 'unknown-outcome');
        return;
      }
      world.after(fate.request, undefined, () => {
        if (this.isParted(from.id, to)) {
          if (world.chance(0.5)) fail(connectTimeoutMs, 'unreachable');
          return;
        }
        const listening = this.#listening.get(to);
        if (listening === undefined) {
          fail(this.delayMs(), 'unreachable');
          return;
        }
        const { process } = listening;
        process.onDeath(() => {
          if (world.chance(0.5)) fail(this.delayMs(), 'unknown-outcome');
        });
        world.after(0, process, () => {
          let isBroken = false;
          const answer = (give: () => void): void => {
            if (fate.answer === 'lost' || isBroken) {
              if (world.chance(0.5)) fail(this.delayMs(), 'unknown-outcome');
              return;
            }
            world.after(fate.answer, undefined, () => {
              if (!this.isParted(from.id, to)) world.after(0, from, give);
            });
          };
          const say = (part: T): void => {
            answer(() => {
              if (!isOver) heard(part);
            });
            isBroken = this.lossRate > 0 && world.chance(brokenBetweenParts);
          };
          Promise.resolve(serve(process, say)).then(
            (value) => answer(() => resolve(value)),
            (thrown: unknown) => answer(() => reject(thrown)),
          );
        });
      });
    });
  }

  #accept(wire: Wire, { process, accept }: Listening, hello: ClientHello | undefined): void {
    if (!wire.a.isOpen) {
      this.wires.delete(wire);
      return;
    }
    wire.b.movesTo(process);
    wire.b.opened();
    wire.b.listener = accept(wire.b, hello);
    if (this.isParted(wire.a.process.id, process.id)) wire.freeze();
  }

  #chance(): CallFate {
    const world = this.#world;
    const way = (): number | 'lost' => (world.chance(this.lossRate) ? 'lost' : this.delayMs());
    return { request: way(), answer: way() };
  }
}

function pairOf(one: string, other: string): string {
  return one < other ? `${one} ${other}` : `${other} ${one}`;
}
