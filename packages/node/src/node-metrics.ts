import { counter, gauge, histogram, type Metrics, type Reading, readingsOf } from '@pinwheel/metrics';
import type { MigrationStatus } from '@pinwheel/migration';
import { closeCodes } from '@pinwheel/protocol';
import type { NodeCounters } from './node-counters.js';

const statuses = ['delivered', 'queued', 'published', 'offline', 'overloaded', 'not-owner'];
const requestKinds = ['single', 'batch', 'ndjson', 'broadcast', 'presence', 'disconnect', 'claim'];
const closeNames = ['client', 'closed', ...Object.values(closeCodes).map(({ name }) => name)];

/** Every metric of a node beside those of its ring. No label has a user in it. */
export const nodeMetrics = {
  sessions: gauge('pinwheel_node_sessions', 'Sessions of clients.'),
  users: gauge('pinwheel_node_users', 'Users with at least one session.'),
  foreignUsers: gauge('pinwheel_node_foreign_users', 'Users held here who belong to another node.'),
  receipts: counter('pinwheel_node_receipts_total', 'Receipts given, by status.', { status: statuses }),
  requests: counter('pinwheel_node_requests_total', 'API requests, by kind.', { kind: requestKinds }),
  refusals: counter(
    'pinwheel_node_refusals_total',
    'API requests answered with an error, or whose caller left.',
    {
      class: ['4xx', '5xx', 'gone'],
    },
  ),
  batchSeconds: histogram(
    'pinwheel_node_batch_seconds',
    'Time to take a batch to its users, forwards included.',
  ),
  forwarded: counter('pinwheel_node_forwarded_total', 'Messages passed on to another node.'),
  forwarding: gauge('pinwheel_node_forwarding', 'Messages on their way through another node.'),
  notOwner: counter('pinwheel_node_not_owner_total', 'Messages answered with not-owner.'),
  dropped: counter(
    'pinwheel_node_dropped_total',
    'Messages that a session at its bound of unread bytes did not take.',
  ),
  closes: counter('pinwheel_node_closes_total', 'Sessions that ended, by the name of the close code.', {
    reason: closeNames,
  }),
  upgrades: counter('pinwheel_node_upgrades_total', 'WebSocket upgrades, by outcome.', {
    outcome: ['accepted', 'refused'],
  }),
  movedUsers: counter('pinwheel_node_moved_users_total', 'Users sent on after a ring change.'),
  movingUsers: gauge('pinwheel_node_moving_users', 'Users who wait to be sent on.'),
  inbound: counter('pinwheel_node_inbound_messages_total', 'Messages of clients given to the application.'),
  inboundRefused: counter('pinwheel_node_inbound_refused_total', 'Messages of clients that were not taken.'),
  inboundBytes: gauge('pinwheel_node_inbound_bytes', 'Bytes of clients that wait for the application.'),
  applicationErrors: counter('pinwheel_node_application_errors_total', 'Failures of the application.'),
} as const;

export interface NodeGauges {
  readonly sessions: number;
  readonly users: number;
  readonly foreignUsers: number;
  readonly forwarding: number;
  readonly inboundBytes: number;
  readonly migration: MigrationStatus;
}

/** Returns the call that observes the time of a batch, in seconds. */
export function addNodeMetrics(
  metrics: Metrics,
  counters: NodeCounters,
  gauges: () => NodeGauges,
): (seconds: number) => void {
  metrics.add(nodeMetrics.sessions, () => gauges().sessions);
  metrics.add(nodeMetrics.users, () => gauges().users);
  metrics.add(nodeMetrics.foreignUsers, () => gauges().foreignUsers);
  metrics.add(nodeMetrics.receipts, () => readingsOf(counters.receipts));
  metrics.add(nodeMetrics.requests, () => readingsOf(counters.requests));
  metrics.add(nodeMetrics.refusals, () => readingsOf(counters.refusals));
  metrics.add(nodeMetrics.forwarded, () => counters.forwarded);
  metrics.add(nodeMetrics.forwarding, () => gauges().forwarding);
  metrics.add(nodeMetrics.notOwner, () => counters.notOwner);
  metrics.add(nodeMetrics.dropped, () => counters.dropped);
  metrics.add(nodeMetrics.closes, () => closeNames.map((name) => [counters.closes.get(name) ?? 0, name]));
  metrics.add(nodeMetrics.upgrades, (): readonly Reading[] => [
    [counters.upgradesAccepted, 'accepted'],
    [counters.upgradesRefused, 'refused'],
  ]);
  metrics.add(nodeMetrics.movedUsers, () => gauges().migration.moved);
  metrics.add(nodeMetrics.movingUsers, () => gauges().migration.waiting);
  metrics.add(nodeMetrics.inbound, () => counters.inboundMessages);
  metrics.add(nodeMetrics.inboundRefused, () => counters.inboundRefused);
  metrics.add(nodeMetrics.inboundBytes, () => gauges().inboundBytes);
  metrics.add(nodeMetrics.applicationErrors, () => counters.applicationErrors);
  return metrics.addHistogram(nodeMetrics.batchSeconds);
}
