import type { Clock } from '@pinwheel/membership';
import type { Users } from './users.js';

/** Everybody is looked at about so often, in ms. */
const sweepMs = 1000;
/** So many are looked at without a pause: everybody at once would hold up their messages. */
const usersPerSlice = 256;
const leastPauseMs = 5;

type Swept = Pick<Users, 'toSweep' | 'sweep'>;

/** Goes round all users who have something to be ended in time, a few at a time. */
export class Sweeps {
  readonly #users: Swept;
  readonly #clock: Clock;
  #at: number;
  #cancel: () => void = () => {};

  constructor(users: Swept, clock: Clock) {
    this.#users = users;
    this.#clock = clock;
    this.#at = clock.now();
  }

  /** Looks at as many as the time is for, and again before the next beat when those are too many for one slice. */
  beat(beatMs: number): void {
    this.#cancel();
    const wanted = (sweepMs * usersPerSlice) / this.#users.toSweep;
    const pauseMs = Math.min(beatMs, Math.max(leastPauseMs, wanted));
    const now = this.#clock.now();
    // late, it does not make up for all at once
    this.#users.sweep(Math.min(now - this.#at, 2 * pauseMs) / sweepMs);
    this.#at = now;
    if (pauseMs < beatMs) this.#cancel = this.#clock.after(pauseMs, () => this.beat(beatMs));
  }

  stop(): void {
    this.#cancel();
  }
}
