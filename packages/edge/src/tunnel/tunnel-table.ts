import { performance } from 'node:perf_hooks';
import { type RingState, systemClock } from '@pinwheel/membership';
import type { MigrationChange } from '@pinwheel/migration';
import { closeCodes, closeReasonOf } from '@pinwheel/protocol';
import type { CloseReason, EdgeCounters } from '../metrics/edge-counters.js';
import type { EdgeMigrationStatus } from '../upstream.js';
import { jitterMs, ownerLostJitterMs } from './jitter.js';
import { LostOwners } from './lost-owners.js';
import { Mover } from './mover.js';
import { Tunnel } from './tunnel.js';
import type { TunnelOptions } from './tunnel-options.js';

/** The pace spreads the moves already: this only keeps those of one turn apart. */
const movedJitterMs = 100;

export interface TunnelTableOptions {
  readonly usersPerSecond: number;
  readonly closeTimeoutMs: number;
}

/**
 * Every tunnel of an edge. Those to Pinwheel nodes are closed by their node when their user moves, and here when it is
 * lost; the others here.
 */
export class TunnelTable {
  readonly #counters: EdgeCounters;
  readonly #tunnels = new Set<Tunnel>();
  readonly #mover: Mover<Tunnel>;
  readonly #lost: LostOwners<Tunnel>;
  readonly #gone = (tunnel: Tunnel, reason: CloseReason): void => this.#remove(tunnel, reason);
  #foreign = 0;

  constructor(current: RingState, options: TunnelTableOptions, counters: EdgeCounters) {
    const { usersPerSecond, closeTimeoutMs: graceMs } = options;
    const clock = { now: () => performance.now(), after: systemClock.after };
    this.#counters = counters;
    this.#lost = new LostOwners<Tunnel>(current, {
      ...clock,
      usersPerSecond,
      graceMs,
      tunnels: () => this.#toNodes(),
      close: (tunnel) => {
        const { code } = closeCodes.ownerLost;
        tunnel.close(code, closeReasonOf(jitterMs(ownerLostJitterMs)), 'owner-lost');
      },
    });
    this.#mover = new Mover<Tunnel>(current, {
      ...clock,
      usersPerSecond,
      close: (tunnel) => {
        tunnel.close(closeCodes.moved.code, closeReasonOf(jitterMs(movedJitterMs)), 'moved');
      },
    });
  }

  get size(): number {
    return this.#tunnels.size;
  }

  /** Tunnels to foreign backends. */
  get foreign(): number {
    return this.#foreign;
  }

  get tunnels(): ReadonlySet<Tunnel> {
    return this.#tunnels;
  }

  get migration(): EdgeMigrationStatus {
    return this.#mover.status;
  }

  /** @param early what the client sent behind its upgrade. */
  open(options: Omit<TunnelOptions, 'counters' | 'gone'>, early: Buffer): Tunnel {
    const tunnel = new Tunnel({ ...options, counters: this.#counters, gone: this.#gone }, early);
    this.#tunnels.add(tunnel);
    if (tunnel.member.kind !== 'foreign') {
      this.#lost.add(tunnel);
      return tunnel;
    }
    this.#foreign++;
    this.#mover.add(tunnel);
    return tunnel;
  }

  ringChanged(current: RingState): void {
    this.#mover.ringChanged(current);
    this.#lost.ringChanged(current);
  }

  migrate(change: MigrationChange): void {
    this.#mover.change(change);
    if (change.usersPerSecond !== undefined) this.#lost.setPace(change.usersPerSecond);
  }

  /** Moves nobody any more; tunnels stay. */
  stopMoves(): void {
    this.#mover.stop();
    this.#lost.stop();
  }

  /** Cuts every tunnel off. */
  destroy(): void {
    this.stopMoves();
    for (const tunnel of this.#tunnels) tunnel.destroy('cut');
  }

  #remove(tunnel: Tunnel, reason: CloseReason): void {
    this.#counters.closes[reason]++;
    this.#tunnels.delete(tunnel);
    if (tunnel.member.kind !== 'foreign') {
      this.#lost.remove(tunnel);
      return;
    }
    this.#foreign--;
    this.#mover.remove(tunnel);
  }

  *#toNodes(): Generator<Tunnel> {
    for (const tunnel of this.#tunnels) if (tunnel.member.kind === 'node') yield tunnel;
  }
}
