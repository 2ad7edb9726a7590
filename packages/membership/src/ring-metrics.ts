import { Counter, Gauge, type Registry } from 'prom-client';
import type { RingTracker } from './ring-state.js';

/**
 * The state of a tracker as metrics of one registry, read when they are collected: nothing is counted twice and a
 * ring change costs nothing. Call once per registry.
 */
export function registerRingMetrics(registry: Registry, tracker: RingTracker): void {
  const registers = [registry];
  const gauge = (name: string, help: string, read: () => number): void => {
    const metric: Gauge = new Gauge({ name, help, registers, collect: () => metric.set(read()) });
  };
  const ring = () => tracker.current.ring;
  const status = () => tracker.status();

  gauge('pinwheel_ring_members', 'Members in the ring.', () => ring().members.length);
  gauge('pinwheel_ring_points', 'Points of the ring, all members together.', () => ring().size);
  gauge('pinwheel_ring_generation', 'Changes of ring or members since the process started.', () => {
    return tracker.current.generation;
  });
  gauge('pinwheel_ring_fingerprint_age_seconds', 'Time since the ring changed.', () => {
    return status().fingerprintAgeMs / 1000;
  });
  gauge('pinwheel_ring_frozen', '1 while the ring does not follow the source of members.', () => {
    return status().frozen === undefined ? 0 : 1;
  });
  gauge(
    'pinwheel_ring_pending_members',
    'Members that wait to be counted, or are kept though they vanished.',
    () => {
      return status().pending.length;
    },
  );
  gauge(
    'pinwheel_membership_stale_seconds',
    'Time since the source of members was last read; up to its wait is normal.',
    () => {
      return status().staleMs / 1000;
    },
  );
  gauge('pinwheel_membership_ignored_members', 'Entries of the source that cannot be used.', () => {
    return status().ignored.length;
  });
  const errors: Counter = new Counter({
    name: 'pinwheel_membership_errors_total',
    help: 'Failed reads of the source of members.',
    registers,
    collect: () => {
      errors.reset();
      errors.inc(status().sourceErrors);
    },
  });
  const fingerprint: Gauge = new Gauge({
    name: 'pinwheel_ring_info',
    help: '1, with the fingerprint of the ring.',
    labelNames: ['fingerprint'],
    registers,
    collect: () => {
      fingerprint.reset();
      fingerprint.set({ fingerprint: ring().fingerprint }, 1);
    },
  });
}
