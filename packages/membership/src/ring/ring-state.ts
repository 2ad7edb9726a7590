import type { Ring, RingSettings } from '@pinwheel/ring';
import type { Member } from '../member/contract.js';

/** The ring a process goes by at one moment, and who is behind the ids. Immutable: a change is a new one. */
export interface RingState {
  readonly ring: Ring;
  /** Everybody who can be reached, draining members and members that wait to be counted too, by id. */
  readonly members: ReadonlyMap<string, Member>;
  /** Rises by one with every change of this process; never compared across processes. 0 before the first ring. */
  readonly generation: number;
  /** The source's index of the newest view in here; a hint. */
  readonly index: string;
  /**
   * Rings of the transition window, newest first, all with other fingerprints than `ring` and none of them
   * empty. When one leaves the window, `current` becomes a state without it, of the same generation and
   * without a call of the subscribers.
   */
  readonly previous: readonly Ring[];
}

export interface RingTrackerStatus {
  /** Why the ring is not following the source, when it is not. */
  readonly frozen?: string;
  /** Time since the source was last read successfully, in ms. */
  readonly staleMs: number;
  /** Time since the ring's fingerprint changed, in ms. */
  readonly fingerprintAgeMs: number;
  readonly sourceErrors: number;
  /** Why the source could not be read the last time it was tried; missing when it could. */
  readonly sourceError?: string;
  /** Entries left out of the newest view, and members that run with other ring settings or find no room in the ring. */
  readonly ignored: readonly { readonly id: string; readonly reason: string }[];
  /** Members that wait to be counted in (settling or flapping) or are kept though they vanished. */
  readonly pending: readonly string[];
}

/** Follows a membership and keeps the ring that this process goes by. One per process. */
export interface RingTracker {
  /** Before the first ring: an empty ring of generation 0. */
  readonly current: RingState;
  readonly settings: RingSettings;
  /**
   * Resolves with the first ring: from the source, or from disk when the source is away.
   * Rejects with `settings-mismatch` when a member of that runs with other ring settings, naming the setting, and with
   * `membership` when nothing was heard within the start deadline and nothing is on disk; it is closed then.
   * May be called twice: both calls have the same outcome.
   */
  start(): Promise<RingState>;
  /**
   * Called after every new state, ring or members, in order; what it throws is logged and disturbs nobody else.
   * Another incarnation behind an id is a new state. That a previous ring leaves its window is none.
   * Returns the call that ends it.
   */
  subscribe(listener: (current: RingState, before: RingState) => void): () => void;
  /** Reads the source now; resolves when that is done or has failed. Joins still settle. */
  refresh(): Promise<void>;
  /** An operator takes the newest view as it is, frozen or settling. Returns the state it led to. */
  accept(): RingState;
  status(): RingTrackerStatus;
  /** Ends the watch of the source, which stays open for others. May be called twice. */
  close(): Promise<void>;
}
