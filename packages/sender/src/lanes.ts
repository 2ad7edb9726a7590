import type { Pending } from './pending.js';

/** A user's messages that may not leave yet, and why. */
export class Lane {
  /** Messages of the user that a former owner has in flight. */
  unanswered = 0;
  /** When the first one that was refused is tried again, by the sender's clock; 0 when none was. */
  retryAt = 0;
  /** In the order in which they were sent. */
  waiting: Pending[] = [];

  /** A message that was refused goes before those that were sent after it. */
  insert(message: Pending): void {
    let at = this.waiting.length;
    while (at > 0 && this.waiting[at - 1]!.order > message.order) at--;
    this.waiting.splice(at, 0, message);
  }
}

/**
 * The users whose messages cannot simply go to the owner: nothing for a user goes to a new owner while an earlier
 * message for that user is unanswered elsewhere, and while one is being tried again the later ones wait behind it.
 * Users without such a message have no lane.
 */
export class Lanes {
  readonly #lanes = new Map<string, Lane>();

  get size(): number {
    return this.#lanes.size;
  }

  of(user: string): Lane | undefined {
    return this.#lanes.get(user);
  }

  open(user: string): Lane {
    const known = this.#lanes.get(user);
    if (known !== undefined) return known;
    const lane = new Lane();
    this.#lanes.set(user, lane);
    return lane;
  }

  /** Closes the lanes that have nothing to wait for any more; what waited in them, in order. */
  release(now: number): readonly Pending[] {
    const released: Pending[] = [];
    for (const [user, lane] of this.#lanes) {
      if (lane.unanswered > 0 || lane.retryAt > now) continue;
      this.#lanes.delete(user);
      for (const message of lane.waiting) released.push(message);
    }
    return released;
  }

  /** A lane that is left with nothing to wait for or with is closed. */
  forgetSettled(): void {
    for (const [user, lane] of this.#lanes) {
      lane.waiting = lane.waiting.filter(({ settled }) => !settled);
      if (lane.waiting.length === 0 && lane.unanswered === 0) this.#lanes.delete(user);
    }
  }

  *waiting(): Iterable<Pending> {
    for (const lane of this.#lanes.values()) yield* lane.waiting;
  }
}
