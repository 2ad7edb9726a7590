import { buildRing, pointsOfWeight, type Ring, type RingMember, type RingSettings } from '@pinwheel/ring';
import type { Member } from '../member/contract.js';
import { membersDigest, sortMembers } from '../member/digest.js';
import type { Clock } from '../time/clock.js';
import { PlaceAhead } from './place-ahead.js';
import type { RingHistory } from './ring-history.js';
import { type RingRoom, ringRoom } from './ring-room.js';
import type { RingState } from './ring-state.js';

/** The sequence of states of one process: builds the next beside the current one and flips one reference. */
export class RingStates {
  readonly #settings: RingSettings;
  readonly #clock: Clock;
  readonly #history: RingHistory;
  readonly #ahead: PlaceAhead;
  #current: RingState;
  #directory = '';
  #seen: readonly (readonly Member[])[] = [];
  #leftOut: RingRoom['leftOut'] = [];
  #buildFault: string | undefined;
  #ringSince: number;
  #cancelExpiry = (): void => {};

  /** @param ready is called, later, when a ring that `next` has put off can be built. */
  constructor(settings: RingSettings, history: RingHistory, clock: Clock, ready: () => void) {
    this.#settings = settings;
    this.#history = history;
    this.#clock = clock;
    this.#ahead = new PlaceAhead(settings, clock, ready);
    this.#ringSince = clock.now();
    const ring = buildRing([], settings);
    this.#current = Object.freeze({ ring, members: new Map(), generation: 0, index: '0', previous: [] });
  }

  get current(): RingState {
    return this.#current;
  }

  /** Members that count and are not in the ring: there is no room for them, or no ring can have them. */
  get leftOut(): RingRoom['leftOut'] {
    return this.#leftOut;
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
   *
   * @param mayWait puts a ring off that would take long to build: `undefined`, and `ready` is called later.
   */
  next(
    counted: readonly Member[],
    reachable: readonly Member[],
    index: string,
    mayWait: boolean,
  ): RingState | undefined {
    // most questions to members change nothing, and a ring of a thousand takes milliseconds to build
    if (isSame(this.#seen[0], counted) && isSame(this.#seen[1], reachable)) {
      // who was waited for has left again
      this.#ahead.close();
      return undefined;
    }
    const before = this.#current;
    const room = ringRoom(counted, this.#settings);
    if (mayWait && !this.#ahead.isReady(room.members, before.ring)) return undefined;
    this.#seen = [counted, reachable];
    const now = this.#clock.now();
    const ring = this.#ringOf(room, before.ring);
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

  /** Ends the timers; the current state stays. */
  close(): void {
    this.#cancelExpiry();
    this.#ahead.close();
  }

  #ringOf({ members, leftOut }: RingRoom, before: Ring): Ring {
    this.#leftOut = leftOut;
    try {
      const ring = buildRing(members, this.#settings, this.#isMuch(members, before) ? undefined : before);
      this.#buildFault = undefined;
      return ring.fingerprint === before.fingerprint ? before : ring;
    } catch (error) {
      this.#buildFault = `the ring cannot be built: ${error instanceof Error ? error.message : String(error)}`;
      return before;
    }
  }

  /** To sort many points anew takes a fraction of the time of merging them in; the ring is the same. */
  #isMuch(members: readonly RingMember[], before: Ring): boolean {
    const known = new Map(before.members.map(({ id, weight }) => [id, weight]));
    const joined = members.filter(({ id, weight }) => known.get(id) !== weight);
    const points = joined.reduce(
      (sum, { weight = 1 }) => sum + pointsOfWeight(weight, this.#settings.virtualNodes),
      0,
    );
    return points > before.size / 4;
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
