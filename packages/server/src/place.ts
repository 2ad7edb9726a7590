import { performance } from 'node:perf_hooks';
import { PinwheelError } from '@pinwheel/protocol';
import type { ConnectionLimits, UserShare } from './connection-limits.js';
import { RateLimit } from './rate-limit.js';

/** A connection's place among those that a process takes. */
export class Place {
  readonly #limits: ConnectionLimits;
  readonly #address: string | undefined;
  readonly #rate: RateLimit;
  #user: string | undefined;
  #share: UserShare | undefined;
  #isLeft = false;

  constructor(limits: ConnectionLimits, address: string | undefined) {
    this.#limits = limits;
    this.#address = address;
    this.#rate = new RateLimit(limits.bounds.perConnection, performance.now());
  }

  /**
   * Whose connection it is. To be called once; behind `leave` it does nothing.
   *
   * @returns `limit-reached` when the user has his share already; the place is still to be left then.
   */
  belongsTo(user: string): PinwheelError | undefined {
    // the client has left while it was found out who it is
    if (this.#isLeft) return undefined;
    const share = this.#limits.enter(user);
    if (share instanceof PinwheelError) return share;
    this.#user = user;
    this.#share = share;
    return undefined;
  }

  /** The client has sent this. Returns false when that is more than it may: it is to be closed. */
  sent(messages: number, bytes: number): boolean {
    const now = performance.now();
    if (!this.#rate.take(now, messages, bytes)) {
      this.#limits.exceeded('connection-rate', this.#user, this.#address);
      return false;
    }
    if (this.#share === undefined || this.#share.rate.take(now, messages, bytes)) return true;
    this.#limits.exceeded('user-rate', this.#user, this.#address);
    return false;
  }

  /** The connection is over. May be called twice. */
  leave(): void {
    if (this.#isLeft) return;
    this.#isLeft = true;
    this.#limits.leave(this.#address, this.#user);
  }
}
