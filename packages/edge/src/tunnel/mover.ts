import type { Member, RingState } from '@pinwheel/membership';
import { Migration, type MigrationChange } from '@pinwheel/migration';
import type { EdgeMigrationStatus } from '../upstream.js';

/** What the mover needs of a tunnel. */
export interface Movable {
  readonly user: string;
  /** The user's point on the ring. */
  readonly hash: number;
  readonly member: Member;
  readonly isOpen: boolean;
}

export interface MoverOptions<T extends Movable> {
  readonly usersPerSecond: number;
  /** A clock that does not go backwards, in ms. */
  readonly now: () => number;
  /** Calls once, later; returns the call that cancels it. */
  readonly after: (delayMs: number, call: () => void) => () => void;
  /** Tells a tunnel's client to reconnect. */
  readonly close: (tunnel: T) => void;
}

/**
 * Brings users of foreign backends to their owner by the newest ring: their tunnels are closed at the pace, first come
 * first served, all of a user's at once. Who belongs where he is, is left alone. Knows no socket and no clock.
 */
export class Mover<T extends Movable> {
  readonly #close: (tunnel: T) => void;
  readonly #migration: Migration;
  readonly #users = new Map<string, T[]>();
  #current: RingState;

  constructor(current: RingState, options: MoverOptions<T>) {
    const { usersPerSecond, now, after, close } = options;
    this.#current = current;
    this.#close = close;
    this.#migration = new Migration({ usersPerSecond, now, after, go: (user) => this.#go(user) });
  }

  get status(): EdgeMigrationStatus {
    return { ...this.#migration.status, foreign: this.#users.size };
  }

  /** A tunnel to a foreign backend is there. */
  add(tunnel: T): void {
    const tunnels = this.#users.get(tunnel.user);
    if (tunnels === undefined) this.#users.set(tunnel.user, [tunnel]);
    else tunnels.push(tunnel);
    this.#judge(tunnel.user);
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
  }

  change(change: MigrationChange): void {
    this.#migration.change(change);
  }

  /** Moves nobody any more. */
  stop(): void {
    this.#users.clear();
    this.#migration.stop();
  }

  #judge(user: string): void {
    const tunnels = this.#users.get(user);
    if (tunnels?.some((tunnel) => this.#isMisplaced(tunnel))) this.#migration.add(user);
    else this.#migration.delete(user);
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

  #go(user: string): void {
    for (const tunnel of this.#users.get(user) ?? []) {
      if (this.#isMisplaced(tunnel)) this.#close(tunnel);
    }
  }
}
