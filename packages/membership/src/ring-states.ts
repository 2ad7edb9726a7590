import { buildRing, type Ring, type RingSettings } from '@pinwheel/ring';
import type { Clock } from './clock.js';
import type { Member } from './contract.js';
import { membersDigest, sortMembers } from './digest.js';
import type { RingHistory } from './ring-history.js';
import type { RingState } from './ring-state.js';

/** The sequence of states of one process: builds the next beside the current one and flips one reference. */
export class RingStates {
  readonly #settings: RingSettings;
  readonly #clock: Clock;
  readonly #history: RingHistory;
  #current: RingState;
  #directory = '';
  #seen: readonly (readonly Member[])[] = [];
  #buildFault: string | undefined;
  #ringSince: number;
  #cancelExpiry = (): void => {};

  constructor(settings: RingSettings, history: RingHistory, clock: Clock) {
    this.#settings = settings;
    this.#history = history;
    this.#clock = clock;
    this.#ringSince = clock.now();
    const ring = buildRing([], settings);
    this.#current = Object.freeze({ ring, members: new Map(), generation: 0, index: '0', previous: [] });
  }

  get current(): RingState {
    return this.#current;
  }

  /** Why the newest members could not be made into a ring; the ring before is still in use then. */
  get buildFault(): string | undefined {
    return this.#buildFault;
  }

  get ringAgeMs(): number {
    return this.#clock.now() - this.#ringSince;
  }

  /**
   * The next state, or `undefined` when nothing changed. Equal members with other addresses are a new state with
   * the same ring.
   */
  next(counted: readonly Member[], reachable: readonly Member[], index: string): RingState | undefined {
    // most questions to members change nothing, and a ring of a thousand takes milliseconds to build
    if (isSame(this.#seen[0], counted) && isSame(this.#seen[1], reachable)) return undefined;
    this.#seen = [counted, reachable];
    const before = this.#current;
    const now = this.#clock.now();
    const ring = this.#ringOf(counted, before.ring);
    const sorted = sortMembers(reachable);
    const directory = membersDigest(sorted);
    if (ring === before.ring && directory === this.#directory && before.generation > 0) return undefined;
    if (ring !== before.ring) {
      this.#ringSince = now;
      this.#history.replaced(before.ring, now);
    }
    this.#directory = directory;
    this.#current = Object.freeze({
      ring,
      members: new Map(sorted.map((member): [string, Member] => [member.id, member])),
      generation: before.generation + 1,
      index,
      previous: this.#history.previous(ring, now),
    });
    this.#forgetInTime(now);
    return this.#current;
  }

  /** Ends the timer; the current state stays. */
  close(): void {
    this.#cancelExpiry();
  }

  #ringOf(counted: readonly Member[], before: Ring): Ring {
    try {
      const members = counted.map(({ id, weight }) => ({ id, weight }));
      const ring = buildRing(members, this.#settings, before);
      this.#buildFault = undefined;
      return ring.fingerprint === before.fingerprint ? before : ring;
    } catch (error) {
      this.#buildFault = `the ring cannot be built: ${error instanceof Error ? error.message : String(error)}`;
      return before;
    }
  }

  #forgetInTime(now: number): void {
    this.#cancelExpiry();
    const expiresAt = this.#history.expiresAt;
    if (expiresAt === undefined) return;
    this.#cancelExpiry = this.#clock.after(Math.max(1, expiresAt - now), () => {
      const later = this.#clock.now();
      const previous = this.#history.previous(this.#current.ring, later);
      this.#current = Object.freeze({ ...this.#current, previous });
      this.#forgetInTime(later);
    });
  }
}

function isSame(before: readonly Member[] | undefined, after: readonly Member[]): boolean {
  return before?.length === after.length && before.every((member, i) => member === after[i]);
}
