import type { SimProcess } from './sim-process.js';
import type { World } from './world.js';

export type WireData = Uint8Array | string;

/** What an end of a connection is told. */
export interface WireListener {
  opened?(): void;
  /** @param sentAt in ms: it may have been held up since. */
  received(data: WireData, sentAt: number): void;
  /** Once; nothing comes after it. */
  closed(code: number, reason: string): void;
  /** It holds no more than `fullAbove` bytes again. */
  drained?(): void;
}

type Item =
  | { readonly kind: 'opened' }
  | { readonly kind: 'data'; readonly data: WireData; readonly sentAt: number }
  | { readonly kind: 'close'; readonly code: number; readonly reason: string }
  /** The other side has seen the close. */
  | { readonly kind: 'closed'; readonly code: number; readonly reason: string }
  | { readonly kind: 'aborted' };

const abnormal = 1006;
const closeTimeoutMs = 5000;
const silent: WireListener = { received() {}, closed() {} };

/** One end of a connection, and the items that are on their way from it. */
export class WireEnd {
  /** Above so many bytes that the other end has not read, it is full. */
  fullAbove = Number.POSITIVE_INFINITY;
  listener: WireListener = silent;
  readonly #wire: Wire;
  #process: SimProcess;
  #state: 'open' | 'closing' | 'closed' = 'open';
  #going: Item[] = [];
  #unread = 0;
  #lastAt = 0;
  /** Items that were due while this direction was frozen. */
  #owed = 0;
  #wasFull = false;

  constructor(wire: Wire, process: SimProcess) {
    this.#wire = wire;
    this.#process = process;
  }

  get wire(): Wire {
    return this.#wire;
  }

  get process(): SimProcess {
    return this.#process;
  }

  get peer(): WireEnd {
    return this.#wire.a === this ? this.#wire.b : this.#wire.a;
  }

  get unreadBytes(): number {
    return this.#unread;
  }

  get isFull(): boolean {
    return this.#unread > this.fullAbove;
  }

  get isOpen(): boolean {
    return this.#state === 'open';
  }

  /** The other end of a dial is in that process. */
  movesTo(process: SimProcess): void {
    this.#process = process;
  }

  opened(): void {
    this.push({ kind: 'opened' });
  }

  /** The bytes are the caller's again when it returns. */
  send(data: WireData): void {
    if (this.#state !== 'open') return;
    const sentAt = this.#wire.world.now;
    this.push({ kind: 'data', data: typeof data === 'string' ? data : Buffer.from(data), sentAt });
  }

  close(code: number, reason: string): void {
    if (this.#state !== 'open') return;
    this.#state = 'closing';
    this.push({ kind: 'close', code, reason });
    this.#wire.world.after(closeTimeoutMs, this.#process, () => this.end(abnormal, ''));
  }

  push(item: Item): void {
    const { world, isCut } = this.#wire;
    if (isCut) return;
    this.#going.push(item);
    if (item.kind === 'data') this.#unread += item.data.length;
    if (this.isFull) this.#wasFull = true;
    this.#lastAt = Math.max(this.#lastAt, world.now + this.#wire.delayMs());
    world.after(this.#lastAt - world.now, this.peer.process, () => this.#arrive());
  }

  /** What is on its way is lost. */
  lose(): void {
    this.#going = [];
    this.#unread = 0;
  }

  /** What was held up goes on. */
  thawed(): void {
    const owed = this.#owed;
    this.#owed = 0;
    for (let i = 0; i < owed; i++) this.#wire.world.after(0, this.peer.process, () => this.#arrive());
  }

  /** Tells this end that the connection is over. */
  end(code: number, reason: string): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.#wire.ended();
    this.listener.closed(code, reason);
  }

  #arrive(): void {
    if (this.#wire.isFrozen(this)) {
      this.#owed++;
      return;
    }
    const item = this.#going.shift();
    if (item === undefined) return;
    if (item.kind === 'data') this.#unread -= item.data.length;
    if (this.#wasFull && !this.isFull) {
      this.#wasFull = false;
      this.#wire.world.after(0, this.#process, () => this.listener.drained?.());
    }
    this.peer.#take(item);
  }

  #take(item: Item): void {
    if (this.#state === 'closed') return;
    switch (item.kind) {
      case 'opened':
        this.listener.opened?.();
        break;
      case 'data':
        this.listener.received(item.data, item.sentAt);
        break;
      case 'close':
        if (this.peer.#state !== 'closed')
          this.push({ kind: 'closed', code: item.code, reason: item.reason });
        this.end(item.code, item.reason);
        break;
      case 'closed':
        this.end(item.code, item.reason);
        break;
      case 'aborted':
        this.end(abnormal, '');
        break;
      default:
        item satisfies never;
    }
  }
}

/** A connection: two directions in order, which can be held up, and which end without a word when it is cut. */
export class Wire {
  readonly world: World;
  readonly a: WireEnd;
  readonly b: WireEnd;
  readonly delayMs: () => number;
  isCut = false;
  readonly #frozen = new Set<WireEnd>();
  readonly #over: (wire: Wire) => void;
  #ends = 0;

  constructor(
    world: World,
    from: SimProcess,
    to: SimProcess,
    delayMs: () => number,
    over: (wire: Wire) => void,
  ) {
    this.world = world;
    this.delayMs = delayMs;
    this.a = new WireEnd(this, from);
    this.b = new WireEnd(this, to);
    this.#over = over;
  }

  isBetween(one: string, other: string): boolean {
    const [a, b] = [this.a.process.id, this.b.process.id];
    return (a === one && b === other) || (a === other && b === one);
  }

  touches(id: string): boolean {
    return this.a.process.id === id || this.b.process.id === id;
  }

  isFrozen(from: WireEnd): boolean {
    return this.#frozen.has(from);
  }

  /** @param ends from which nothing arrives until it thaws; default: both. */
  freeze(ends: readonly WireEnd[] = [this.a, this.b]): void {
    for (const end of ends) this.#frozen.add(end);
  }

  thaw(): void {
    const frozen = [...this.#frozen];
    this.#frozen.clear();
    for (const end of frozen) end.thawed();
  }

  /** What is under way is lost. @param toldMs when each end learns of it, `undefined` for never. */
  cut(toldMs: readonly [a: number | undefined, b: number | undefined]): void {
    if (this.isCut) return;
    this.isCut = true;
    for (const [i, end] of [this.a, this.b].entries()) {
      end.lose();
      const ms = toldMs[i];
      if (ms !== undefined) this.world.after(ms, end.process, () => end.end(abnormal, ''));
    }
  }

  /** One end has ceased to be. What it had written may still arrive. */
  abandoned(by: WireEnd, isWritten: boolean): void {
    if (!isWritten) by.lose();
    by.push({ kind: 'aborted' });
  }

  ended(): void {
    this.#ends++;
    if (this.#ends === 2) this.#over(this);
  }
}
