import {
  counter,
  gauge,
  histogram,
  type MetricDefinition,
  memoryMetric,
  socketsMetric,
} from '@pinwheel/metrics';
import { apiKeyDecisions } from '@pinwheel/trust';
import { keySetOutcomes, renewalOutcomes, webhookOutcomes } from '../admission/admission-counters.js';
import { edgeLimitNames } from '../limits/limit-counters.js';
import { attachOutcomes, sessionEnds } from '../link/link-counters.js';
import { closeReasons, requestOutcomes, retryReasons, upgradeOutcomes } from './edge-counters.js';

/** What every edge measures, beside its ring. No label has a user in it. */
export const edgeMetrics = {
  connections: gauge('pinwheel_edge_connections', 'Client sockets, whatever they are doing.'),
  upgrades: counter('pinwheel_edge_upgrades_total', 'WebSocket upgrades, by how they ended.', {
    outcome: upgradeOutcomes,
  }),
  requests: counter('pinwheel_edge_requests_total', 'Plain HTTP requests, by how they ended.', {
    outcome: requestOutcomes,
  }),
  tokenRenewals: counter(
    'pinwheel_edge_token_renewals_total',
    'Tokens that clients sent on their connections, by what became of them.',
    { outcome: renewalOutcomes },
  ),
  keySetReads: counter(
    'pinwheel_edge_key_set_reads_total',
    'Readings of the keys that tokens are signed with, by how they ended.',
    { outcome: keySetOutcomes },
  ),
  authWebhook: counter(
    'pinwheel_edge_auth_webhook_total',
    'Questions to the auth webhook, by their answer.',
    {
      outcome: webhookOutcomes,
    },
  ),
  limits: counter(
    'pinwheel_edge_limits_reached_total',
    'Times that a client was refused or closed at a bound.',
    { limit: edgeLimitNames },
  ),
  memory: memoryMetric,
  sockets: socketsMetric,
  apiKeyCalls: counter(
    'pinwheel_edge_api_key_calls_total',
    'Calls of the admin port with an API key, or without any, by decision.',
    { decision: apiKeyDecisions },
  ),
} as const satisfies Record<string, MetricDefinition>;

/** What an edge with links measures beside that. */
export const linkMetrics = {
  links: gauge('pinwheel_edge_links', 'Links to nodes that sessions want.', { state: ['up', 'opening'] }),
  linksLost: counter('pinwheel_edge_links_lost_total', 'Links that were up and broke.'),
  protocolErrors: counter(
    'pinwheel_edge_protocol_errors_total',
    'Links that were closed because of what the node said.',
  ),
  sessions: gauge(
    'pinwheel_edge_sessions',
    'Sessions; those whose client does not read count among the others too.',
    { state: ['attached', 'waiting', 'paused'] },
  ),
  sessionEnds: counter('pinwheel_edge_session_ends_total', 'Connections of clients that ended, by why.', {
    reason: sessionEnds,
  }),
  attaches: counter('pinwheel_edge_attaches_total', 'Attaches of sessions to nodes, by how they ended.', {
    outcome: attachOutcomes,
  }),
  attachQueue: gauge(
    'pinwheel_edge_attach_queue',
    'Sessions that have lost their node and wait for their turn at another.',
  ),
  repins: counter('pinwheel_edge_repins_total', 'Times that a node has sent a session to another node.'),
  messages: counter('pinwheel_edge_messages_total', 'Messages over links.', {
    direction: ['to-client', 'from-client'],
  }),
  droppedFrames: counter(
    'pinwheel_edge_dropped_frames_total',
    'Frames of nodes for sessions that are elsewhere, or that the client has had.',
  ),
  pauses: counter('pinwheel_edge_pauses_total', 'Times that a client was found not to read.'),
} as const satisfies Record<string, MetricDefinition>;

/** What an edge with tunnels measures beside that. */
export const tunnelMetrics = {
  tunnels: gauge('pinwheel_edge_tunnels', 'Tunnels, by what is behind them.', { kind: ['node', 'foreign'] }),
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
} as const satisfies Record<string, MetricDefinition>;
