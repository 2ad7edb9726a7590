import type { Member, RingState, RingTracker, RingTrackerStatus } from '@pinwheel/membership';
import { buildRing, ringSettings } from '@pinwheel/ring';

/** A tracker whose ring changes when the test says so, and at once. */
export class FakeTracker implements RingTracker {
  readonly settings = ringSettings({ virtualNodes: 64 });
  readonly #listeners = new Set<(current: RingState, before: RingState) => void>();
  #current: RingState;
  refreshes = 0;
  accepted = 0;
  /** Runs inside each refresh. */
  onRefresh: () => void | Promise<void> = () => {};

  constructor(members: readonly Member[] = []) {
    this.#current = this.#state(members, 1);
  }

  get current(): RingState {
    return this.#current;
  }

  /** Draining members stay reachable, but are not in the ring. */
  set(members: readonly Member[]): void {
    const before = this.#current;
    this.#current = this.#state(members, before.generation + 1);
    for (const listener of this.#listeners) listener(this.#current, before);
  }

  start(): Promise<RingState> {
    return Promise.resolve(this.#current);
  }

  subscribe(listener: (current: RingState, before: RingState) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async refresh(): Promise<void> {
    this.refreshes++;
    await this.onRefresh();
  }

  accept(): RingState {
    this.accepted++;
    return this.#current;
  }

  status(): RingTrackerStatus {
    return { staleMs: 0, fingerprintAgeMs: 0, sourceErrors: 0, ignored: [], pending: [] };
  }

  async close(): Promise<void> {}

  #state(members: readonly Member[], generation: number): RingState {
    return {
      ring: buildRing(
        members.filter((member) => !member.draining),
        this.settings,
      ),
      members: new Map(members.map((member) => [member.id, member])),
      generation,
      index: String(generation),
      previous: [],
    };
  }
}

export function foreign(id: string, port: number): Member {
  return { id, address: '127.0.0.1', port, weight: 1, draining: false, kind: 'foreign' };
}

export function node(id: string, wsPort: number): Member {
  return { id, address: '127.0.0.1', port: 1, wsPort, weight: 1, draining: false, kind: 'node' };
}

/** A user whom the tracker's ring gives to that member. */
export function userOf(tracker: RingTracker, member: string, prefix = 'user'): string {
  for (let i = 0; ; i++) {
    if (tracker.current.ring.owner(`${prefix}-${i}`) === member) return `${prefix}-${i}`;
  }
}
