import { createPace, type Pace } from './pace.js';
import { Turns } from './turns.js';

/** How a migration is going; what `/v1/migrations` answers. */
export interface MigrationStatus {
  readonly paused: boolean;
  readonly usersPerSecond: number;
  /** Users who still have to go. */
  readonly waiting: number;
  /** Users who went since the start. */
  readonly moved: number;
}

export interface MigrationChange {
  readonly paused?: boolean;
  readonly usersPerSecond?: number;
}

export interface MigrationOptions {
  /** The pace, in users per second: higher is over sooner, lower is gentler to who takes the users in. */
  readonly usersPerSecond: number;
  /** A clock that does not go backwards, in ms. */
  readonly now: () => number;
  /** Calls once, later; returns the call that cancels it. */
  readonly after: (delayMs: number, call: () => void) => () => void;
  /** Sends a user on its way. May add and remove users. */
  readonly go: (user: string) => void;
  /** How many more may be on their way, whatever the pace; default any number. */
  readonly room?: () => number;
}

/** Timers are not finer than this; several users go together instead. */
const leastWaitMs = 10;

/**
 * The list of the users who have to move, worked through at a pace, in the order of their turns and among those of one
 * first come first served. It is continuous: a user joins it however it came to be in the wrong place, and leaves it when
 * the place is the right one again. Knows no socket and no clock of its own.
 */
export class Migration {
  readonly #options: MigrationOptions;
  readonly #pace: Pace;
  readonly #waiting = new Turns();
  #moved = 0;
  #cancel: (() => void) | undefined;

  constructor(options: MigrationOptions) {
    this.#options = options;
    this.#pace = createPace({ perSecond: options.usersPerSecond, now: options.now });
  }

  get status(): MigrationStatus {
    return {
      paused: this.#pace.paused,
      usersPerSecond: this.#pace.perSecond,
      waiting: this.#waiting.size,
      moved: this.#moved,
    };
  }

  /** The turn that is on; `undefined` when nobody waits. */
  get turn(): number | undefined {
    return this.#waiting.first;
  }

  /** Whether the user is on the list. */
  has(user: string): boolean {
    return this.#waiting.has(user);
  }

  /** The user has to move, at its turn. Known users keep their place. @param turn a whole number from 0 to 255. */
  add(user: string, turn = 0): void {
    this.#waiting.add(user, turn);
    this.#schedule();
  }

  /** The user has not to move any more, or is gone. */
  delete(user: string): void {
    this.#waiting.delete(user);
  }

  /** The user went ahead of its turn. Whether it was on the list. */
  went(user: string): boolean {
    const was = this.#waiting.delete(user);
    if (was) this.#moved++;
    return was;
  }

  change(change: MigrationChange): void {
    if (change.usersPerSecond !== undefined) this.#pace.setRate(change.usersPerSecond);
    if (change.paused === true) this.#pace.pause();
    if (change.paused === false) this.#pace.resume();
    this.#cancel?.();
    this.#cancel = undefined;
    this.#schedule();
  }

  /** Moves nobody any more. */
  stop(): void {
    this.#waiting.clear();
    this.#cancel?.();
    this.#cancel = undefined;
  }

  #schedule(): void {
    if (this.#cancel !== undefined || this.#waiting.size === 0 || this.#pace.paused) return;
    this.#cancel = this.#options.after(Math.max(leastWaitMs, this.#pace.msUntilNext()), () => {
      this.#cancel = undefined;
      this.#turn();
      this.#schedule();
    });
  }

  #turn(): void {
    const room = this.#options.room?.() ?? this.#waiting.size;
    let going = this.#pace.take(Math.max(0, Math.min(this.#waiting.size, room)));
    while (going-- > 0) {
      const user = this.#waiting.take();
      if (user === undefined) return;
      this.#moved++;
      this.#options.go(user);
    }
  }
}
