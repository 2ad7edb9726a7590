import type { RingState } from '@pinwheel/membership';
import type { Metrics } from '@pinwheel/metrics';
import type { MigrationChange, MigrationStatus } from '@pinwheel/migration';

/**
 * How the clients of this edge reach the owners of their users. It holds the clients' sockets, from the port on
 * which they come; an edge has one. Rings, admin, metrics and options are the edge's, the same for every kind.
 */
export interface Upstream {
  /** Starts to take clients; resolves with the port. Rejects with `listen`. */
  listen(): Promise<number>;
  /** The ring or the members have changed. */
  ringChanged(current: RingState): void;
  readonly status: UpstreamStatus;
  /** Has its own metrics read when somebody scrapes. */
  measure(metrics: Metrics): void;
  readonly migration: EdgeMigrationStatus;
  /** Pause, resume and set the rate of the moves. */
  migrate(change: MigrationChange): void;
  /**
   * Takes no new clients, tells every client to reconnect, each at a time of its own within the drain's window, and
   * resolves when all are gone; at the deadline the rest is cut off. May be called twice.
   */
  drain(): Promise<void>;
  /** Cuts everybody off now. May be called twice, and during a drain. */
  close(): Promise<void>;
}

/** How the moves of an edge are going. */
export interface EdgeMigrationStatus extends MigrationStatus {
  /** Users with tunnels to foreign backends. */
  readonly foreign: number;
}

export interface UpstreamStatus {
  /** Clients' sockets, whatever they are doing. */
  readonly connections: number;
  /** 0 with links, as the next one. */
  readonly tunnelsToNodes: number;
  readonly tunnelsToForeign: number;
  /** Links that are up; 0 with tunnels, as all that follow. */
  readonly linksUp: number;
  /** Links that are wanted, and are being opened or wait to be tried again. */
  readonly linksOpening: number;
  readonly sessionsAttached: number;
  /** Sessions that have no node at the moment. */
  readonly sessionsWaiting: number;
  /** Sessions whose client does not read. */
  readonly sessionsPaused: number;
}
