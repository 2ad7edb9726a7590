import type { Member } from '@pinwheel/membership';
import type { SimProcess } from './sim-process.js';
import { SimTracker } from './sim-tracker.js';
import type { World } from './world.js';

/** Who is in the service, as the source of members has it. Every process learns it in its own time. */
export class SimMembership {
  readonly #world: World;
  readonly #members = new Map<string, Member>();
  readonly trackers = new Set<SimTracker>();
  /** How long a process takes to hear of one change, in ms. */
  lagMs: () => number;

  /** @param lateMs the longest. */
  constructor(world: World, lateMs: number) {
    this.#world = world;
    this.lagMs = () => (world.chance(0.8) ? world.random() * 100 : world.random() * lateMs);
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

  follow(
    process: SimProcess,
    options: { readonly windowMs: number; readonly mostRings: number },
  ): SimTracker {
    const tracker = new SimTracker(this.#world, process, this, options);
    this.trackers.add(tracker);
    process.onDeath(() => this.trackers.delete(tracker));
    return tracker;
  }

  #changed(id: string): void {
    for (const tracker of this.trackers) tracker.hearOf(id, this.lagMs());
  }
}
