import { addRingMetrics, type RingState, type RingTracker, systemClock } from '@pinwheel/membership';
import { Metrics } from '@pinwheel/metrics';
import { headers, PinwheelError } from '@pinwheel/protocol';
import { addSenderMetrics, createSender, messageIds, NodeClients } from '@pinwheel/sender';
import type { TemplatedApp } from '@pinwheel/server';
import { AdminApi } from './admin-api.js';
import { Admission } from './admission.js';
import { BroadcastApi } from './broadcast-api.js';
import { Claims } from './claims.js';
import { DirectSessions } from './direct-sessions.js';
import { Forwarder } from './forwarder.js';
import { HealthApi } from './health-api.js';
import { createHttpApi } from './http-api.js';
import { Inbound } from './inbound.js';
import { MessagesApi } from './messages-api.js';
import { Moves } from './moves.js';
import { createNodeCounters } from './node-counters.js';
import { addNodeMetrics } from './node-metrics.js';
import type { CheckedNodeOptions } from './node-options.js';
import { Ownership } from './ownership.js';
import type { Phase } from './phase.js';
import { Router } from './router.js';
import type { Session } from './session.js';
import { SessionTable } from './session-table.js';
import { taskBytes } from './turns.js';
import { UsersApi } from './users-api.js';

export interface NodePartsOptions {
  readonly node: CheckedNodeOptions;
  readonly tracker: RingTracker;
  readonly state: RingState;
  readonly phase: () => Phase;
  /** Begins the drain; does not wait for it. */
  readonly drain: () => void;
}

/** What a node is made of, wired together; neither server listens yet. */
export interface NodeParts {
  readonly http: TemplatedApp;
  readonly direct: DirectSessions;
  readonly table: SessionTable;
  readonly moves: Moves;
  readonly admission: Admission;
  /** Ends everything but the tracker; clients are cut off. */
  close(): Promise<void>;
}

const catchUpMs = 1500;
const leastBytesPerUser = 1_048_576;
/** RFC 6455's own code for a server that goes away; clients reconnect after it. */
const serviceRestart = { code: 1012, name: 'closed' };

export function createNodeParts({ node, tracker, state, phase, drain }: NodePartsOptions): NodeParts {
  const { id, deadlineMs, log } = node;
  const { now, after } = systemClock;
  const counters = createNodeCounters();
  const table = new SessionTable();
  const clients = new NodeClients();
  const metrics = new Metrics();
  const newId = messageIds();
  const ownership = new Ownership(id, state);
  const sender = createSender({ tracker, log });
  const { usersPerSecond } = node;
  const moves = new Moves({ table, ownership, usersPerSecond, now, after, random: Math.random });
  const claims = new Claims({ ownership, clients, deadlineMs });
  const admission = new Admission(ownership, tracker, catchUpMs);
  const forwarder = new Forwarder({
    clients,
    now,
    maxWaiting: node.maxForwarding,
    memberOf: (member) => ownership.state.members.get(member),
    asking: (member) => ownership.asking(member),
  });
  const inbound = new Inbound({
    application: node.application,
    counters,
    log,
    limits: {
      maxPerUser: node.maxInboundPerUser,
      maxBytesPerUser: Math.max(node.maxInboundBytes + taskBytes, leastBytesPerUser),
      maxBytes: Math.max(node.maxInboundBytes + taskBytes, node.maxInboundTotalBytes),
    },
    send: (user, data) => sender.send(user, data),
  });
  const direct = new DirectSessions({
    admission,
    inbound,
    counters,
    newId: messageIds(),
    maxInboundBytes: node.maxInboundBytes,
    maxUnreadBytes: node.maxUnreadBytes,
    stalledMs: node.stalledMs,
    idleTimeoutSeconds: node.idleTimeoutSeconds,
    opened: (session: Session) => {
      moves.attached(table.add(session, ownership.state.ring.hashOf(session.user)));
      claims.attached(session.user);
    },
    closed: (session: Session) => {
      if (table.remove(session)) moves.gone(session.user);
    },
  });
  const observeBatch = addNodeMetrics(metrics, counters, () => ({
    sessions: table.sessionCount,
    users: table.userCount,
    // whoever belongs elsewhere is on the list until its last session is closed
    foreignUsers: moves.status.waiting,
    forwarding: forwarder.waiting,
    inboundBytes: inbound.waitingBytes,
    migration: moves.status,
  }));
  addRingMetrics(metrics, tracker);
  addSenderMetrics(metrics, sender);
  const router = new Router({
    table,
    ownership,
    forwarder,
    counters,
    now,
    forwardTimeoutMs: node.forwardTimeoutMs,
    refreshRing: () => void tracker.refresh(),
    observeBatch,
  });
  const shared = { self: id, table, ownership, clients, counters, newId, now, deadlineMs };
  const http = createHttpApi(
    {
      messages: new MessagesApi({
        ...shared,
        route: (batch, passage) => router.route(batch, passage),
        selfHeaders: () => ({
          [headers.fingerprint]: ownership.state.ring.fingerprint,
          [headers.foreignUsers]: String(moves.status.waiting),
        }),
      }),
      users: new UsersApi(shared),
      broadcast: new BroadcastApi(shared),
      admin: new AdminApi({ table, tracker, moves, counters, drain }),
      health: new HealthApi({ id, incarnation: node.incarnation, tracker, metrics, phase }),
      checkPlace: () => {
        if (phase() !== 'replaced') return;
        throw new PinwheelError('unavailable', `another process has taken the place of node ${id}`);
      },
    },
    counters,
    log,
  );
  const ringChanged = (current: RingState): void => {
    ownership.ringChanged(current);
    moves.ringChanged();
    forwarder.keepOnly(current.members);
    clients.keepOnly(current.members);
  };
  const unsubscribe = tracker.subscribe(ringChanged);
  ringChanged(tracker.current);

  const close = async (): Promise<void> => {
    moves.stop();
    unsubscribe();
    for (const held of [...table.users()]) {
      for (const session of [...held.sessions]) session.close(serviceRestart, 'service restart');
    }
    direct.close();
    http.close();
    await sender.close();
    await clients.close();
    metrics.close();
  };
  return { http, direct, table, moves, admission, close };
}
