import type { Holder } from '@pinwheel/holder';
import {
  counter,
  gauge,
  histogram,
  type Metrics,
  memoryMetric,
  type Reading,
  readingsOf,
  socketsMetric,
} from '@pinwheel/metrics';
import { closeCodes } from '@pinwheel/protocol';
import type { ClientLimits } from '@pinwheel/server';
import type { Registrar } from '@pinwheel/strategy';
import { type ApiKeyGate, apiKeyDecisions, noDecisions } from '@pinwheel/trust';
import { type NodeCounters, nodeLimitNames } from './counters/node-counters.js';
import { createQueueCounters } from './counters/queue-counters.js';
import type { QueueIntake } from './queue/queue-intake.js';

const statuses = ['delivered', 'queued', 'published', 'offline', 'overloaded', 'not-owner'];
const requestKinds = [
  'single',
  'batch',
  'ndjson',
  'broadcast',
  'presence',
  'disconnect',
  'acknowledgement',
  'peer',
];
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
  unanswered: gauge(
    'pinwheel_node_requests_unanswered',
    'Requests that have no answer yet, the one for this included.',
  ),
  forwarding: gauge('pinwheel_node_forwarding', 'Messages on their way through another node.'),
  acknowledgements: gauge('pinwheel_node_acknowledgements', 'Receipts that wait for clients.'),
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
  movedUsers: counter(
    'pinwheel_node_moved_users_total',
    'Users handed over to other nodes, those included who were taken back.',
  ),
  movingUsers: gauge(
    'pinwheel_node_moving_users',
    'Users who have yet to be handed over, those included who could not be so far.',
  ),
  inbound: counter('pinwheel_node_inbound_messages_total', 'Messages of clients given to the application.'),
  inboundRefused: counter('pinwheel_node_inbound_refused_total', 'Messages of clients that were not taken.'),
  inboundBytes: gauge('pinwheel_node_inbound_bytes', 'Bytes of clients that wait for the application.'),
  clientSends: counter('pinwheel_node_client_sends_total', 'Messages of clients to other users.'),
  links: gauge('pinwheel_node_links', 'Links of edges.'),
  linksLost: counter('pinwheel_node_links_lost_total', 'Links that ended.'),
  linkErrors: counter(
    'pinwheel_node_link_protocol_errors_total',
    'Links closed because of a protocol error.',
  ),
  staleFrames: counter('pinwheel_node_stale_frames_total', 'Frames for sessions that were over.'),
  attaches: counter('pinwheel_node_attaches_total', 'Sessions that edges asked to attach, by outcome.', {
    outcome: ['attached', 'repinned', 'superseded', 'dismissed'],
  }),
  resumes: counter('pinwheel_node_resumes_total', 'Sessions that came back, by whether something was lost.', {
    outcome: ['recovered', 'not-recovered'],
  }),
  handoffs: counter(
    'pinwheel_node_handoffs_total',
    'Users on the way to their owners, by what became of it.',
    {
      outcome: ['started', 'released', 'refused', 'failed', 'taken-back'],
    },
  ),
  copies: counter(
    'pinwheel_node_copies_total',
    'Copies of users from their holders, by what became of them.',
    {
      outcome: ['kept', 'refused', 'committed', 'merged', 'dropped', 'orphaned'],
    },
  ),
  copiesHeld: gauge('pinwheel_node_copies', 'Copies whose holders have not given the user up yet.'),
  contested: gauge('pinwheel_node_contested_users', 'Users who may be held elsewhere, too.'),
  tombstones: gauge('pinwheel_node_tombstones', 'Users of whom it is known where they went.'),
  inboxBytes: gauge('pinwheel_node_inbox_bytes', 'Memory of all inboxes.'),
  applicationErrors: counter('pinwheel_node_application_errors_total', 'Failures of the application.'),
  forwardedBytes: counter('pinwheel_node_forwarded_bytes_total', 'Messages passed on, in bytes as encoded.'),
  queueUp: gauge(
    'pinwheel_node_queue_up',
    '1 while this node hears what is posted on its queue; without a value at a node that has none.',
  ),
  queueLosses: counter('pinwheel_node_queue_losses_total', 'How often the queue was lost.'),
  queueCopies: counter(
    'pinwheel_node_queue_copies_total',
    'Payload copies that came by the queue, by whether their user is here.',
    { user: ['here', 'elsewhere'] },
  ),
  queueBytes: counter('pinwheel_node_queue_bytes_total', 'Posts that came by the queue, in bytes.'),
  queueUnreadable: counter('pinwheel_node_queue_unreadable_total', 'Posts that could not be read.'),
  broadcastsDropped: counter(
    'pinwheel_node_queue_broadcasts_dropped_total',
    'Messages for everybody that came by the queue and were dropped: 16 MiB waited already.',
  ),
  routesWritten: counter('pinwheel_node_routes_written_total', 'Routes written to the registry.'),
  limits: counter(
    'pinwheel_node_limits_reached_total',
    'Times that a client of the WebSocket port was refused or closed at a bound.',
    { limit: nodeLimitNames },
  ),
  memory: memoryMetric,
  sockets: socketsMetric,
  apiKeyCalls: counter(
    'pinwheel_node_api_key_calls_total',
    'Calls with an API key, or without any, by decision; those at a limit were accepted before.',
    {
      decision: apiKeyDecisions,
    },
  ),
  apiKeyMessages: counter(
    'pinwheel_node_api_key_messages_total',
    'Messages of callers with an API key, as they count against its rate.',
    {
      key: ['the ids in the file of keys'],
    },
  ),
  routesUnwritten: gauge('pinwheel_node_routes_unwritten', 'Users whose route is still to be written.'),
} as const;

export interface NodeReadings {
  readonly holder: Holder;
  /** Messages on their way through other nodes. */
  readonly forwarding: () => number;
  /** Receipts that wait for clients. */
  readonly acknowledgements: () => number;
  readonly inboundBytes: () => number;
  readonly forwardedBytes: () => number;
  readonly intake: QueueIntake | undefined;
  readonly registrar: Registrar | undefined;
  readonly limits: ClientLimits;
  readonly gate: ApiKeyGate | undefined;
}

/** Returns the call that observes the time of a batch, in seconds. */
export function addNodeMetrics(
  metrics: Metrics,
  counters: NodeCounters,
  {
    holder,
    forwarding,
    acknowledgements,
    inboundBytes,
    forwardedBytes,
    intake,
    registrar,
    limits,
    gate,
  }: NodeReadings,
): (seconds: number) => void {
  metrics.add(nodeMetrics.sessions, () => holder.users.sessionCount);
  metrics.add(nodeMetrics.users, () => holder.users.userCount);
  metrics.add(nodeMetrics.foreignUsers, () => holder.foreignUsers);
  metrics.add(nodeMetrics.receipts, () => readingsOf(counters.receipts));
  metrics.add(nodeMetrics.requests, () => readingsOf(counters.requests));
  metrics.add(nodeMetrics.unanswered, () => counters.unanswered.count);
  metrics.add(nodeMetrics.refusals, () => readingsOf(counters.refusals));
  metrics.add(nodeMetrics.forwarded, () => counters.forwarded);
  metrics.add(nodeMetrics.forwarding, forwarding);
  metrics.add(nodeMetrics.acknowledgements, acknowledgements);
  metrics.add(nodeMetrics.notOwner, () => counters.notOwner);
  metrics.add(nodeMetrics.dropped, () => counters.dropped);
  metrics.add(nodeMetrics.limits, () => readingsOf(counters.limits));
  metrics.add(nodeMetrics.memory, () => limits.memoryBytes());
  metrics.add(nodeMetrics.sockets, () => limits.socketCounts());
  metrics.add(nodeMetrics.closes, () => closeNames.map((name) => [counters.closes.get(name) ?? 0, name]));
  metrics.add(nodeMetrics.upgrades, (): readonly Reading[] => [
    [counters.upgradesAccepted, 'accepted'],
    [counters.upgradesRefused, 'refused'],
  ]);
  metrics.add(nodeMetrics.movedUsers, () => holder.handoffs.counters.released);
  metrics.add(nodeMetrics.movingUsers, () => holder.moves.status.waiting);
  metrics.add(nodeMetrics.inbound, () => counters.inboundMessages);
  metrics.add(nodeMetrics.inboundRefused, () => counters.inboundRefused);
  metrics.add(nodeMetrics.inboundBytes, inboundBytes);
  metrics.add(nodeMetrics.clientSends, () => counters.clientSends);
  metrics.add(nodeMetrics.links, () => holder.linkCount);
  metrics.add(nodeMetrics.linksLost, () => holder.linkCounters.lost);
  metrics.add(nodeMetrics.linkErrors, () => holder.linkCounters.protocolErrors);
  metrics.add(nodeMetrics.staleFrames, () => holder.linkCounters.stale);
  metrics.add(nodeMetrics.attaches, () => {
    const { attached, repinned, superseded, dismissed } = holder.attaches.counters;
    return readingsOf({ attached, repinned, superseded, dismissed });
  });
  metrics.add(nodeMetrics.resumes, () => {
    const { recovered, notRecovered } = holder.attaches.counters;
    return readingsOf({ recovered, 'not-recovered': notRecovered });
  });
  metrics.add(nodeMetrics.handoffs, () => {
    const { takenBack, ...others } = holder.handoffs.counters;
    return readingsOf({ ...others, 'taken-back': takenBack });
  });
  metrics.add(nodeMetrics.copies, () => readingsOf({ ...holder.copies.counters }));
  metrics.add(nodeMetrics.copiesHeld, () => holder.copies.count);
  metrics.add(nodeMetrics.contested, () => holder.contested.count);
  metrics.add(nodeMetrics.tombstones, () => holder.users.tombstoneCount);
  metrics.add(nodeMetrics.inboxBytes, () => holder.budget.bytes);
  metrics.add(nodeMetrics.applicationErrors, () => counters.applicationErrors);
  metrics.add(nodeMetrics.forwardedBytes, forwardedBytes);
  addQueueMetrics(metrics, intake);
  metrics.add(nodeMetrics.apiKeyCalls, () => readingsOf(gate?.decisions ?? noDecisions()));
  metrics.add(nodeMetrics.apiKeyMessages, () => gate?.messages ?? []);
  metrics.add(nodeMetrics.routesWritten, () => registrar?.written ?? 0);
  metrics.add(nodeMetrics.routesUnwritten, () => registrar?.unwritten ?? 0);
  return metrics.addHistogram(nodeMetrics.batchSeconds);
}

function addQueueMetrics(metrics: Metrics, intake: QueueIntake | undefined): void {
  const { counters } = intake ?? { counters: createQueueCounters() };
  // a 0 would alarm where there is no queue that could be away
  metrics.add(nodeMetrics.queueUp, () => (intake === undefined ? [] : intake.isUp ? 1 : 0));
  metrics.add(nodeMetrics.queueLosses, () => counters.losses);
  metrics.add(nodeMetrics.queueCopies, (): readonly Reading[] => [
    [counters.copies - counters.unwanted, 'here'],
    [counters.unwanted, 'elsewhere'],
  ]);
  metrics.add(nodeMetrics.queueBytes, () => counters.bytes);
  metrics.add(nodeMetrics.queueUnreadable, () => counters.unreadable);
  metrics.add(nodeMetrics.broadcastsDropped, () => counters.broadcastsDropped);
}
