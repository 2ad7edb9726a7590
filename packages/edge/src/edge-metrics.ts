import { counter, eventLoopDelayMetric, gauge, histogram, type MetricDefinition } from '@pinwheel/metrics';
import { closeReasons, requestOutcomes, retryReasons, upgradeOutcomes } from './edge-counters.js';

/** Every metric of an edge beside those of its ring. No label has a user in it. */
export const edgeMetrics = {
  connections: gauge('pinwheel_edge_connections', 'Client sockets, whatever they are doing.'),
  tunnels: gauge('pinwheel_edge_tunnels', 'Tunnels, by what is behind them.', { kind: ['node', 'foreign'] }),
  upgrades: counter('pinwheel_edge_upgrades_total', 'WebSocket upgrades, by how they ended.', {
    outcome: upgradeOutcomes,
  }),
  requests: counter('pinwheel_edge_requests_total', 'Plain HTTP requests, by how they ended.', {
    outcome: requestOutcomes,
  }),
  retries: counter('pinwheel_edge_retries_total', 'Upgrades and requests that were sent a second time.', {
    reason: retryReasons,
  }),
  closes: counter('pinwheel_edge_closes_total', 'Tunnels that ended, by why.', { reason: closeReasons }),
  bytes: counter('pinwheel_edge_bytes_total', 'Bytes through tunnels after the 101.', {
    direction: ['to-client', 'to-backend'],
  }),
  movedUsers: counter(
    'pinwheel_edge_moved_users_total',
    'Users of foreign backends who were told to reconnect.',
  ),
  movingUsers: gauge('pinwheel_edge_moving_users', 'Users of foreign backends who wait to be told.'),
  foreignUsers: gauge('pinwheel_edge_foreign_users', 'Users with tunnels to foreign backends.'),
  upgradeSeconds: histogram(
    'pinwheel_edge_upgrade_seconds',
    'Time from an admitted upgrade to its answer, second tries included.',
  ),
  eventLoopDelay: eventLoopDelayMetric,
} as const satisfies Record<string, MetricDefinition>;
