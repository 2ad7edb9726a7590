import { counter, gauge, type Metrics } from '@pinwheel/metrics';
import type { RingTracker } from './ring-state.js';

/** Every metric of a tracker. */
export const ringMetrics = {
  members: gauge('pinwheel_ring_members', 'Members in the ring.'),
  points: gauge('pinwheel_ring_points', 'Points of the ring, all members together.'),
  generation: gauge('pinwheel_ring_generation', 'Changes of ring or members since the process started.'),
  fingerprintAge: gauge('pinwheel_ring_fingerprint_age_seconds', 'Time since the ring changed.'),
  frozen: gauge('pinwheel_ring_frozen', '1 while the ring does not follow the source of members.'),
  pending: gauge(
    'pinwheel_ring_pending_members',
    'Members that wait to be counted, or are kept though they vanished.',
  ),
  info: gauge('pinwheel_ring_info', '1, with the fingerprint of the ring.', {
    fingerprint: ['16 hex digits'],
  }),
  stale: gauge('pinwheel_membership_stale_seconds', 'Time since the source of members was last read.'),
  ignored: gauge('pinwheel_membership_ignored_members', 'Entries of the source that cannot be used.'),
  errors: counter('pinwheel_membership_errors_total', 'Failed reads of the source of members.'),
} as const;

/** Adds the state of a tracker to the metrics of a process: read when it is asked for. Call once. */
export function addRingMetrics(metrics: Metrics, tracker: RingTracker): void {
  const ring = () => tracker.current.ring;
  const status = () => tracker.status();
  metrics.add(ringMetrics.members, () => ring().members.length);
  metrics.add(ringMetrics.points, () => ring().size);
  metrics.add(ringMetrics.generation, () => tracker.current.generation);
  metrics.add(ringMetrics.fingerprintAge, () => status().fingerprintAgeMs / 1000);
  metrics.add(ringMetrics.frozen, () => (status().frozen === undefined ? 0 : 1));
  metrics.add(ringMetrics.pending, () => status().pending.length);
  metrics.add(ringMetrics.info, () => [[1, ring().fingerprint]]);
  metrics.add(ringMetrics.stale, () => status().staleMs / 1000);
  metrics.add(ringMetrics.ignored, () => status().ignored.length);
  metrics.add(ringMetrics.errors, () => status().sourceErrors);
}
