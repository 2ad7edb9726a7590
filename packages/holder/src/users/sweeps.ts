import type { Clock } from '@pinwheel/membership';
import type { Users } from './users.js';

/** Everybody is looked at about so often, in ms. */
const sweepMs = 1000;
/** So many are looked at without a pause, of many users more: everybody at once would hold up their messages. */
const usersPerSlice = 256;
const leastPauseMs = 5;

type Swept = Pick<Users, 'toSweep' | 'sweep' | 'forgetOld'>;

/** Goes round all users who have something to be ended in time, a few at a time. */
export class Sweeps {
  readonly #users: Swept;
  readonly #clock: Clock;
  readonly #beatMs: number;
  #at: number;
  #cancel: () => void = () => {};

  /** @param beatMs how often it is beaten. */
  constructor(users: Swept, clock: Clock, beatMs: number) {
    this.#users = users;
    this.#beatMs = beatMs;
    this.#clock = clock;
    this.#at = clock.now();
  }

  /** Looks at as many as the time is for, and again before the next beat when those are too many for one slice. */
  beat(): void {
    this.#cancel();
    this.#users.forgetOld();
    this.#slice();
  }

  #slice(): void {
    const now = this.#clock.now();
    // late, it makes up for no more than a beat
    this.#users.sweep(Math.min(now - this.#at, this.#beatMs) / sweepMs);
    this.#at = now;
    const pauseMs = (sweepMs * usersPerSlice) / this.#users.toSweep;
    if (pauseMs < this.#beatMs)
      this.#cancel = this.#clock.after(Math.max(leastPauseMs, pauseMs), () => this.#slice());
  }

  stop(): void {
    this.#cancel();
  }
}
