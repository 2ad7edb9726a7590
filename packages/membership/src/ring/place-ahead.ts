import { buildRing, pointsOfWeight, type Ring, type RingMember, type RingSettings } from '@pinwheel/ring';
import type { Clock } from '../time/clock.js';

/** Points that one turn of the event loop places: some 10 ms. */
const pointsPerTurn = 16_384;
/** Joiners with fewer points are placed when the ring is built. */
const pointsAtOnce = 65_536;
/** Then the ring is built at one go: somebody who joins all the time must not hold up who leaves. */
const longestWaitMs = 2_000;

/**
 * Places members that join some at a time, before a ring with all of them is built: a million points at one go would
 * stop everything else in this process for a second. The ring package remembers the points of whom it has placed.
 */
export class PlaceAhead {
  readonly #settings: RingSettings;
  readonly #clock: Clock;
  readonly #placed: () => void;
  readonly #known = new Set<string>();
  #queue: readonly RingMember[] = [];
  #waitingSince: number | undefined;
  #cancel: (() => void) | undefined;

  /** @param placed is called, later, when what `isReady` had to wait for is done. */
  constructor(settings: RingSettings, clock: Clock, placed: () => void) {
    this.#settings = settings;
    this.#clock = clock;
    this.#placed = placed;
  }

  /** Whether a ring of these members can be built at once; if not, begins to place them. */
  isReady(members: readonly RingMember[], current: Ring): boolean {
    const weights = new Map(current.members.map(({ id, weight }) => [id, weight]));
    const joined = members.filter((member) => {
      return weights.get(member.id) !== member.weight && !this.#known.has(keyOf(member));
    });
    const now = this.#clock.now();
    this.#waitingSince ??= now;
    if (this.#points(joined) <= pointsAtOnce || now >= this.#waitingSince + longestWaitMs) {
      this.close();
      return true;
    }
    this.#queue = joined;
    this.#cancel ??= this.#clock.after(0, () => this.#turn());
    return false;
  }

  /** Forgets what is waited for. */
  close(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    this.#waitingSince = undefined;
    this.#queue = [];
    this.#known.clear();
  }

  #turn(): void {
    let count = 0;
    for (let points = 0; points < pointsPerTurn && count < this.#queue.length; count++) {
      points += pointsOfWeight(this.#queue[count]!.weight ?? 1, this.#settings.virtualNodes);
    }
    const members = this.#queue.slice(0, count);
    this.#queue = this.#queue.slice(count);
    try {
      buildRing(members, this.#settings);
    } catch {
      // the ring with all of them will say so
    }
    for (const member of members) this.#known.add(keyOf(member));
    this.#cancel = this.#queue.length > 0 ? this.#clock.after(0, () => this.#turn()) : undefined;
    if (this.#cancel === undefined) this.#placed();
  }

  #points(members: readonly RingMember[]): number {
    return members.reduce(
      (sum, { weight = 1 }) => sum + pointsOfWeight(weight, this.#settings.virtualNodes),
      0,
    );
  }
}

function keyOf({ id, weight }: RingMember): string {
  return `${weight} ${id}`;
}
