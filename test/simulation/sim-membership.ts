import type { Member, RingState } from '@pinwheel/membership';
import type { RingSettings } from '@pinwheel/ring';
import { RingHistory, RingStates } from './mechanisms.js';
import type { SimProcess } from './sim-process.js';
import type { World } from './world.js';

export const ringSettings: RingSettings = { hash: 'xxhash32', virtualNodes: 8 };

/** Who is in the service, as the source of members has it. Every process learns it in its own time. */
export class SimMembership {
  readonly #world: World;
  readonly #members = new Map<string, Member>();
  readonly trackers = new Set<SimTracker>();
  /** How long a process takes to hear of one change, in ms. */
  lagMs: () => number;

  constructor(world: World) {
    this.#world = world;
    this.lagMs = () => (world.chance(0.8) ? world.random() * 100 : world.random() * 4000);
  }

  get members(): ReadonlyMap<string, Member> {
    return this.#members;
  }

  enter(id: string, incarnation: string): void {
    const ports = { address: id, port: 7000, wsPort: 7001 };
    this.#members.set(id, { id, ...ports, weight: 1, draining: false, kind: 'node', incarnation });
    this.#changed(id);
  }

  drain(id: string): void {
    const member = this.#members.get(id);
    if (member === undefined) return;
    this.#members.set(id, { ...member, draining: true });
    this.#changed(id);
  }

  /** @param incarnation when given, an entry of another process under this id stays. */
  leave(id: string, incarnation?: string): void {
    const member = this.#members.get(id);
    if (member === undefined || (incarnation !== undefined && member.incarnation !== incarnation)) return;
    this.#members.delete(id);
    this.#changed(id);
  }

  follow(process: SimProcess, options: { readonly windowMs: number; readonly mostRings: number }): SimTracker {
    const tracker = new SimTracker(this.#world, process, this, options);
    this.trackers.add(tracker);
    process.onDeath(() => this.trackers.delete(tracker));
    return tracker;
  }

  #changed(id: string): void {
    for (const tracker of this.trackers) tracker.hearOf(id, this.lagMs());
  }
}

/** The rings of one process, one after the other: the real sequence of states, over what this process has heard. */
export class SimTracker {
  readonly process: SimProcess;
  readonly #world: World;
  readonly #source: SimMembership;
  readonly #heard = new Map<string, Member>();
  readonly #states: RingStates;
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
    const history = new RingHistory(windowMs, mostRings);
    this.#states = new RingStates(ringSettings, history, process.clock, () => {});
    // a process starts with what the source says
    for (const [id, member] of source.members) this.#heard.set(id, member);
    this.#take();
  }

  get current(): RingState {
    return this.#states.current;
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
    const reachable = [...this.#heard.values()];
    const counted = reachable.filter(({ draining }) => !draining);
    return this.#states.next(counted, reachable, '1', false);
  }
}

function describe({ ring, members, previous }: RingState): string {
  const named = [...members.values()].map(({ id, draining, incarnation }) => `${id}${draining ? '-' : ''}/${incarnation}`);
  return `[${ring.members.map(({ id }) => id)}] members ${named} previous ${previous.length}`;
}
