import type { Member, RingState } from '@pinwheel/membership';
import { RingHistory } from './mechanisms.js';
import { ringOf } from './ring-cache.js';
import type { SimMembership } from './sim-membership.js';
import type { SimProcess } from './sim-process.js';
import type { World } from './world.js';

/** The states of one process, one after the other: each ring anew, and those before it for as long as their window is. */
export class SimTracker {
  readonly process: SimProcess;
  readonly #world: World;
  readonly #source: SimMembership;
  readonly #heard = new Map<string, Member>();
  readonly #history: RingHistory;
  #current: RingState;
  /** The source cannot be read. */
  isCutOff = false;
  #isRefreshing = false;
  changed: (state: RingState) => void = () => {};

  constructor(
    world: World,
    process: SimProcess,
    source: SimMembership,
    { windowMs, mostRings }: { readonly windowMs: number; readonly mostRings: number },
  ) {
    this.#world = world;
    this.process = process;
    this.#source = source;
    this.#history = new RingHistory(windowMs, mostRings);
    const ring = ringOf([]);
    this.#current = { ring, members: new Map(), generation: 0, index: '0', previous: [] };
    // a process starts with what the source says
    for (const [id, member] of source.members) this.#heard.set(id, member);
    this.#take();
  }

  get current(): RingState {
    return this.#current;
  }

  hearOf(id: string, afterMs: number): void {
    this.#world.after(afterMs, this.process, () => {
      if (!this.isCutOff) this.hear([id]);
    });
  }

  /** Reads everything that the source says. */
  hearAll(afterMs: number): void {
    this.#world.after(afterMs, this.process, () => {
      if (!this.isCutOff) this.hear([...this.#heard.keys(), ...this.#source.members.keys()]);
    });
  }

  /** Has heard that these are the members, whatever the source says. */
  see(members: readonly Member[]): void {
    this.#heard.clear();
    for (const member of members) this.#heard.set(member.id, member);
    const state = this.#take();
    if (state === undefined) return;
    this.#world.note(() => `${this.process.id} ring ${describe(state)}`);
    this.changed(state);
  }

  /** Reads what the source says of these members now. */
  hear(ids: Iterable<string>): void {
    for (const id of ids) {
      const member = this.#source.members.get(id);
      if (member === undefined) this.#heard.delete(id);
      else this.#heard.set(id, member);
    }
    const state = this.#take();
    if (state === undefined) return;
    this.#world.note(() => `${this.process.id} ring ${describe(state)}`);
    this.changed(state);
  }

  readonly refresh = (): void => {
    if (this.#isRefreshing) return;
    this.#isRefreshing = true;
    const afterMs = 20 + this.#world.random() * 50;
    this.hearAll(afterMs);
    this.#world.after(afterMs, this.process, () => {
      this.#isRefreshing = false;
    });
  };

  #take(): RingState | undefined {
    const before = this.#current;
    const members = new Map([...this.#heard].sort(([a], [b]) => (a < b ? -1 : 1)));
    const isSame =
      members.size === before.members.size &&
      [...members].every(([id, member]) => before.members.get(id) === member);
    if (isSame && before.generation > 0) return undefined;
    const now = this.process.clock.now();
    let ring = ringOf([...members.values()].filter(({ draining }) => !draining));
    if (ring.fingerprint === before.ring.fingerprint) ring = before.ring;
    else this.#history.replaced(before.ring, now);
    const previous = this.#history.previous(ring, now);
    this.#current = { ring, members, generation: before.generation + 1, index: '1', previous };
    return this.#current;
  }
}

function describe({ ring, members, previous }: RingState): string {
  const named = [...members.values()].map(
    ({ id, draining, incarnation }) => `${id}${draining ? '-' : ''}/${incarnation}`,
  );
  return `[${ring.members.map(({ id }) => id)}] members ${named} previous ${previous.length}`;
}
