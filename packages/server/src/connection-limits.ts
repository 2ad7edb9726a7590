import { performance } from 'node:perf_hooks';
import { PinwheelError } from '@pinwheel/protocol';
import type { TellLimit } from './limit-log.js';
import { Place } from './place.js';
import { type RateBounds, RateLimit } from './rate-limit.js';

/** How many connections a process takes, and what may come on them. 0 is no bound, but for `maxConnections`. */
export interface ConnectionBounds {
  readonly maxConnections: number;
  readonly maxConnectionsPerUser: number;
  readonly maxConnectionsPerAddress: number;
  /** New ones; what one second allows may come at once. */
  readonly connectsPerSecond: number;
  readonly perConnection: RateBounds;
  /** All connections of a user together. */
  readonly perUser: RateBounds;
}

/** Every bound that a client can reach, as it is counted. */
export const limitNames = [
  'memory',
  'sockets',
  'connections',
  'connects',
  'user-connections',
  'address-connections',
  'connection-rate',
  'user-rate',
] as const;
export type LimitName = (typeof limitNames)[number];

/** How often each bound was reached. */
export type LimitCounters = Record<LimitName, number>;

/** All connections of a user to this process. */
export interface UserShare {
  connections: number;
  readonly rate: RateLimit;
}

/** Who has how many connections to this process, and whether there is room for one more. */
export class ConnectionLimits {
  readonly bounds: ConnectionBounds;
  readonly counters: LimitCounters;
  readonly #tell: TellLimit;
  readonly #memory: { readonly isOver: boolean };
  readonly #connects: RateLimit;
  readonly #users = new Map<string, UserShare>();
  readonly #addresses = new Map<string, number>();
  #connections = 0;

  /**
   * @param memory says when there is too little for new connections.
   * @param tell of a bound that is somebody's own.
   */
  constructor(
    bounds: ConnectionBounds,
    memory: { readonly isOver: boolean },
    counters: LimitCounters,
    tell: TellLimit = () => {},
  ) {
    this.#tell = tell;
    this.bounds = bounds;
    this.counters = counters;
    this.#memory = memory;
    this.#connects = new RateLimit(
      { messagesPerSecond: bounds.connectsPerSecond, bytesPerSecond: 0 },
      performance.now(),
    );
  }

  /** Whether the bound of connections from one address counts, and `arrive` needs the address. */
  get countsAddresses(): boolean {
    return this.bounds.maxConnectionsPerAddress > 0;
  }

  /** Why nothing more is taken for want of memory; `undefined` when it is. It is counted. */
  whyNoMemory(): PinwheelError | undefined {
    if (!this.#memory.isOver) return undefined;
    return this.#reached('memory', 'overloaded', 'this process has too little memory for more clients');
  }

  /**
   * A place for a connection of somebody who is still to be known; the caller has it until it calls `leave`.
   *
   * @returns `overloaded` when the process takes nobody, `limit-reached` when this address has its share.
   */
  arrive(address?: string): Place | PinwheelError {
    const noMemory = this.whyNoMemory();
    if (noMemory !== undefined) return noMemory;
    const { maxConnections, maxConnectionsPerAddress, connectsPerSecond } = this.bounds;
    if (this.#connections >= maxConnections) {
      const full = `this process has ${maxConnections} connections, the most it takes`;
      return this.#reached('connections', 'overloaded', full);
    }
    const key = this.countsAddresses ? address : undefined;
    const ofAddress = key === undefined ? 0 : (this.#addresses.get(key) ?? 0);
    if (key !== undefined && ofAddress >= maxConnectionsPerAddress) {
      const many = `this address has ${ofAddress} connections, the most that one may have`;
      this.#tell('address-connections', undefined, key);
      return this.#reached('address-connections', 'limit-reached', many);
    }
    if (!this.#connects.take(performance.now(), 1, 0)) {
      const fast = `more than ${connectsPerSecond} connections a second came, the most that are taken`;
      return this.#reached('connects', 'overloaded', fast);
    }
    this.#connections++;
    if (key !== undefined) this.#addresses.set(key, ofAddress + 1);
    return new Place(this, key);
  }

  // what places ask

  /** One more connection of this user. */
  enter(user: string): UserShare | PinwheelError {
    const { maxConnectionsPerUser, perUser } = this.bounds;
    const known = this.#users.get(user);
    if (known === undefined) {
      const share = { connections: 1, rate: new RateLimit(perUser, performance.now()) };
      this.#users.set(user, share);
      return share;
    }
    if (maxConnectionsPerUser > 0 && known.connections >= maxConnectionsPerUser) {
      const many = `the user has ${known.connections} connections, the most that one may have`;
      this.#tell('user-connections', user, undefined);
      return this.#reached('user-connections', 'limit-reached', many);
    }
    known.connections++;
    return known;
  }

  /** Somebody sends more than he may. */
  exceeded(
    limit: 'connection-rate' | 'user-rate',
    user: string | undefined,
    address: string | undefined,
  ): void {
    this.counters[limit]++;
    this.#tell(limit, user, address);
  }

  leave(address: string | undefined, user: string | undefined): void {
    this.#connections--;
    if (address !== undefined) {
      const left = this.#addresses.get(address)! - 1;
      if (left === 0) this.#addresses.delete(address);
      else this.#addresses.set(address, left);
    }
    if (user === undefined) return;
    const share = this.#users.get(user)!;
    share.connections--;
    if (share.connections === 0) this.#users.delete(user);
  }

  #reached(limit: LimitName, code: 'overloaded' | 'limit-reached', why: string): PinwheelError {
    this.counters[limit]++;
    return new PinwheelError(code, `${why}; try again later`);
  }
}
