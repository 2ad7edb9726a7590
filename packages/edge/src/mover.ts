import type { Member, RingState } from '@pinwheel/membership';
import type { Pace } from './pace.js';

/** What the mover needs of a tunnel. */
export interface Movable {
  readonly user: string;
  /** The user's point on the ring. */
  readonly hash: number;
  readonly member: Member;
  readonly isOpen: boolean;
}

export interface MoverOptions<T extends Movable> {
  readonly pace: Pace;
  /** Tells a tunnel's client to reconnect. */
  readonly close: (tunnel: T) => void;
  /** Calls back once after so many ms; what it returns ends the wait. */
  readonly later: (ms: number, callback: () => void) => () => void;
}

export interface MigrationStatus {
  readonly paused: boolean;
  readonly usersPerSecond: number;
  /** Users whose tunnels still are to be closed. */
  readonly waiting: number;
  /** Users who were told to reconnect since the start. */
  readonly moved: number;
  /** Users with tunnels to foreign backends. */
  readonly foreign: number;
}

/** Timers are not finer than this; several users go together instead. */
const leastWaitMs = 10;

/**
 * Brings users of foreign backends to their owner by the newest ring: their tunnels are closed at the pace, first come
 * first served, all of a user's at once. Who belongs where he is, is left alone. Knows no socket and no clock.
 */
export class Mover<T extends Movable> {
  readonly pace: Pace;
  readonly #close: (tunnel: T) => void;
  readonly #later: (ms: number, callback: () => void) => () => void;
  readonly #users = new Map<string, T[]>();
  readonly #waiting = new Set<string>();
  #current: RingState;
  #moved = 0;
  #cancel: (() => void) | undefined;

  constructor(current: RingState, options: MoverOptions<T>) {
    this.#current = current;
    this.pace = options.pace;
    this.#close = options.close;
    this.#later = options.later;
  }

  get status(): MigrationStatus {
    return {
      paused: this.pace.paused,
      usersPerSecond: this.pace.perSecond,
      waiting: this.#waiting.size,
      moved: this.#moved,
      foreign: this.#users.size,
    };
  }

  /** A tunnel to a foreign backend is there. */
  add(tunnel: T): void {
    const tunnels = this.#users.get(tunnel.user);
    if (tunnels === undefined) this.#users.set(tunnel.user, [tunnel]);
    else tunnels.push(tunnel);
    this.#judge(tunnel.user);
    this.#schedule();
  }

  /** It is gone. */
  remove(tunnel: T): void {
    const tunnels = this.#users.get(tunnel.user);
    if (tunnels === undefined) return;
    const left = tunnels.filter((one) => one !== tunnel);
    if (left.length === 0) this.#users.delete(tunnel.user);
    else this.#users.set(tunnel.user, left);
    this.#judge(tunnel.user);
  }

  /** Judges everybody anew: users join the list, and leave it when their owner is the old one again. */
  ringChanged(current: RingState): void {
    this.#current = current;
    for (const user of this.#users.keys()) this.#judge(user);
    this.#schedule();
  }

  pause(): void {
    this.pace.pause();
  }

  resume(): void {
    this.pace.resume();
    this.#schedule();
  }

  /** Moves nobody any more. */
  stop(): void {
    this.#waiting.clear();
    this.#users.clear();
    this.#cancel?.();
    this.#cancel = undefined;
  }

  #judge(user: string): void {
    const tunnels = this.#users.get(user);
    if (tunnels?.some((tunnel) => this.#isMisplaced(tunnel))) this.#waiting.add(user);
    else this.#waiting.delete(user);
  }

  #isMisplaced(tunnel: T): boolean {
    if (!tunnel.isOpen) return false;
    const { ring, members } = this.#current;
    const owner = ring.ownerOfHash(tunnel.hash);
    // an empty ring says where nobody belongs
    if (owner === undefined) return false;
    if (owner !== tunnel.member.id) return true;
    const member = members.get(owner);
    if (member === undefined || member === tunnel.member) return false;
    return member.address !== tunnel.member.address || member.port !== tunnel.member.port;
  }

  #schedule(): void {
    if (this.#cancel !== undefined || this.#waiting.size === 0 || this.pace.paused) return;
    this.#cancel = this.#later(Math.max(leastWaitMs, this.pace.msUntilNext()), () => {
      this.#cancel = undefined;
      this.#turn();
      this.#schedule();
    });
  }

  #turn(): void {
    let going = this.pace.take(this.#waiting.size);
    for (const user of this.#waiting) {
      if (going-- <= 0) return;
      this.#waiting.delete(user);
      this.#moved++;
      for (const tunnel of this.#users.get(user) ?? []) {
        if (this.#isMisplaced(tunnel)) this.#close(tunnel);
      }
    }
  }
}
