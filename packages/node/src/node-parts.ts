import { randomBytes } from 'node:crypto';
import { type HeldUser, Holder } from '@pinwheel/holder';
import { addRingMetrics, type RingState, type RingTracker, systemClock } from '@pinwheel/membership';
import { Metrics } from '@pinwheel/metrics';
import { closeCodes, closeReasonOf, headers, type Message, type Receipt } from '@pinwheel/protocol';
import { addSenderMetrics, createSender, messageIds, NodeClients } from '@pinwheel/sender';
import type { TemplatedApp } from '@pinwheel/server';
import { everybodysTopic, isAnywhere, whyNoWait } from '@pinwheel/strategy';
import { addCertificateMetrics, Signer } from '@pinwheel/trust';
import { Access } from './api/access.js';
import { AcknowledgementsApi } from './api/acknowledgements-api.js';
import { AdminApi } from './api/admin-api.js';
import { BroadcastApi } from './api/broadcast-api.js';
import { HealthApi } from './api/health-api.js';
import { createHttpApi, type HttpApiOptions } from './api/http-api.js';
import { httpPeers } from './api/http-peers.js';
import { MessagesApi } from './api/messages-api.js';
import { PeersApi } from './api/peers-api.js';
import { UsersApi } from './api/users-api.js';
import { Inbound } from './application/inbound.js';
import { taskBytes } from './application/turns.js';
import { createNodeCounters, type NodeCounters } from './counters/node-counters.js';
import { Acknowledgements } from './delivery/acknowledgements.js';
import { Forwarder } from './delivery/forwarder.js';
import { publishing } from './delivery/publishing.js';
import { Router } from './delivery/router.js';
import { Admission } from './direct/admission.js';
import { DirectSession } from './direct/direct-session.js';
import { DirectSessions } from './direct/direct-sessions.js';
import { holderLimits } from './holder-limits.js';
import { checkEntered, checkPlace } from './lifecycle/check-place.js';
import { closeSending } from './lifecycle/close-sending.js';
import type { NodePorts } from './lifecycle/node-ports.js';
import { isLeaving, type Phase } from './lifecycle/phase.js';
import { serveLinks } from './link/link-server.js';
import { LinkTurn } from './link/link-turn.js';
import { LinkWork } from './link/link-work.js';
import { nodeLimits } from './node-limits.js';
import { addNodeMetrics } from './node-metrics.js';
import type { CheckedNodeOptions } from './node-options.js';
import { createQueueSide, createRegistrar, type QueueSide } from './queue/queue-side.js';

export interface NodePartsOptions {
  readonly node: CheckedNodeOptions;
  readonly tracker: RingTracker;
  readonly state: RingState;
  readonly phase: () => Phase;
  /** Where it listens. */
  readonly ports: () => NodePorts;
  /** Begins the drain; does not wait for it. */
  readonly drain: () => void;
}

/** What a node is made of, wired together; no server listens yet. */
export interface NodeParts {
  readonly http: TemplatedApp;
  /** Missing when no admin port was asked for. */
  readonly admin: TemplatedApp | undefined;
  readonly direct: DirectSessions;
  readonly holder: Holder;
  readonly admission: Admission;
  readonly queueSide: QueueSide;
  readonly inbound: Inbound;
  readonly counters: NodeCounters;
  /** Ends everything but the tracker; clients are cut off. */
  close(): Promise<void>;
}

const catchUpMs = 1500;
/** Receipts that may wait for clients at the same time. */
const maxAcknowledgements = 65_536;
const leastBytesPerUser = 1_048_576;
/** RFC 6455's own code for a server that goes away; clients reconnect after it. */
const serviceRestart = { code: 1012, name: 'closed' };
/** Clients that are told to come again, come within this time: the pace spreads them already. Later, where nobody is there. */
const retrySpreadMs = 100;
const retryNobodyMs = 1000;

export function createNodeParts({ node, tracker, state, phase, ports, drain }: NodePartsOptions): NodeParts {
  const { id, deadlineMs, log, strategy } = node;
  const { now, after } = systemClock;
  const counters = createNodeCounters();
  const { keys } = node;
  const clients = new NodeClients(keys === undefined ? undefined : new Signer(keys));
  const access = new Access({ self: id, keys, apiKeys: node.apiKeys });
  const metrics = new Metrics();
  const newId = messageIds();
  const linkTurn = new LinkTurn();
  const sender = createSender({ strategy, tracker, log, ...(keys === undefined ? {} : { keys }) });
  const refreshRing = (): void => void tracker.refresh();
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
    pass: ({ user, data, binary, id: messageId, waitForClient }) =>
      sender.send(user, data, { id: messageId, binary, ...(waitForClient ? { wait: 'client' } : {}) }),
  });
  const closeDirect = (held: HeldUser): void => {
    const { ownership } = holder;
    const isNowhere = ownership.state.ring.members.length === 0 || ownership.isMine(held.hash);
    const spreadMs = isNowhere ? retryNobodyMs : retrySpreadMs;
    for (const session of [...held.sessions]) {
      if (session.kind === 'direct') session.close(closeCodes.moved, closeReasonOf(Math.random() * spreadMs));
    }
  };
  const registrar = createRegistrar(node);
  const holder = new Holder({
    self: id,
    placement: isAnywhere(strategy) ? 'anywhere' : 'owner',
    ...(registrar === undefined ? {} : { presence: registrar }),
    incarnation: node.incarnation,
    state,
    clock: systemClock,
    random: Math.random,
    soon: linkTurn.soon,
    newStream: () => randomBytes(9).toString('base64url'),
    peers: httpPeers(clients, node.forwardTimeoutMs, deadlineMs, log),
    work: new LinkWork({ inbound, counters, maxInboundBytes: node.maxInboundBytes }),
    isOpen: () => !isLeaving(phase()),
    closeDirect,
    refreshRing,
    usersPerSecond: node.usersPerSecond,
    limits: holderLimits(node),
  });
  const { ownership, users } = holder;
  const admission = new Admission(holder, tracker, catchUpMs);
  const forwarder = new Forwarder({
    clients,
    now,
    maxWaiting: node.maxForwarding,
    memberOf: (member) => ownership.state.members.get(member),
    asking: (member) => ownership.asking(member),
  });
  const limits = nodeLimits(node, counters.limits);
  const direct = new DirectSessions({
    places: limits.places,
    sockets: limits.sockets,
    check: (request) => {
      checkEntered(id, phase());
      access.prove(request);
    },
    admission,
    inbound,
    counters,
    newId: messageIds(),
    headTimeoutMs: node.headTimeoutMs,
    maxHeadBytes: node.maxHeadBytes,
    maxInboundBytes: node.maxInboundBytes,
    maxUnreadBytes: node.maxUnreadBytes,
    stalledMs: node.stalledMs,
    idleTimeoutSeconds: node.idleTimeoutSeconds,
    tls: node.tls,
    leftAlone: (user) => holder.users.forgetUnneeded(user),
    opened: (session) => {
      const held = users.get(session.user);
      held?.addSession(session);
      if (held !== undefined) holder.moves.judge(held);
      return held !== undefined;
    },
    closed: (session, code, reason) => users.get(session.user)?.ended(session, code, reason),
  });
  const { forwardTimeoutMs } = node;
  const router = new Router({
    holder,
    forwarder,
    counters,
    now,
    after,
    forwardTimeoutMs,
    refreshRing,
    observeBatch: (seconds) => observeBatch(seconds),
  });
  const queueSide = createQueueSide(strategy, registrar, {
    holder,
    route: (batch, passage) => router.route(batch, passage),
    newId: messageIds(),
    now,
    log,
    incarnation: node.incarnation,
  });
  const acknowledgements = new Acknowledgements({
    holder,
    ask: (member, question, { hops, noForward, deadline }, waitMs) =>
      clients.of(member).acknowledgement(question, { hops, noForward, waitMs, deadlineMs: deadline - now() }),
    now,
    after,
    random: Math.random,
    maxWaiting: maxAcknowledgements,
  });
  const observeBatch = addNodeMetrics(metrics, counters, {
    holder,
    forwarding: () => forwarder.waiting,
    acknowledgements: () => acknowledgements.waiting,
    inboundBytes: () => inbound.waitingBytes,
    forwardedBytes: () => clients.traffic.bytes,
    intake: queueSide.intake,
    registrar,
    limits,
    gate: access.gate,
  });
  addRingMetrics(metrics, tracker);
  if (node.tls !== undefined) addCertificateMetrics(metrics, node.tls);
  addSenderMetrics(metrics, sender);
  const publish = ({ user, data, binary, id: messageId }: Message, ms: number): Promise<Receipt> =>
    sender.send(user, data, { id: messageId, binary, deadlineMs: ms });
  const shared = { self: id, holder, clients, counters, acknowledgements, newId, now, deadlineMs };
  const api: HttpApiOptions = {
    parts: {
      messages: new MessagesApi({
        ...shared,
        route: isAnywhere(strategy)
          ? publishing({ router, now, send: publish })
          : (batch, passage, early) => router.answer(batch, passage, early),
        whyNoWait: whyNoWait(strategy),
        hasDirectClients: () => direct.size > 0,
        selfHeaders: () => ({
          [headers.fingerprint]: ownership.state.ring.fingerprint,
          [headers.foreignUsers]: String(holder.foreignUsers),
        }),
        moveHeaders: () => {
          const { turn } = holder.moves;
          if (turn === undefined) return undefined;
          return { [headers.fingerprint]: ownership.state.ring.fingerprint, [headers.turn]: String(turn) };
        },
      }),
      users: new UsersApi({ ...shared, isAnywhere: isAnywhere(strategy) }),
      acknowledgements: new AcknowledgementsApi(shared),
      broadcast: new BroadcastApi({
        ...shared,
        ...(everybodysTopic(strategy) === undefined
          ? {}
          : {
              publish: ({ data, binary }: Pick<Message, 'data' | 'binary'>, ms: number) =>
                sender.broadcast(data, { binary, deadlineMs: ms }),
            }),
      }),
      admin: new AdminApi({ holder, tracker, drain }),
      peers: new PeersApi({ holder, counters }),
      health: new HealthApi({
        id,
        incarnation: node.incarnation,
        tracker,
        metrics,
        phase,
        whyDeaf: () => queueSide.whyDeaf(),
        whyFull: () => limits.whyFull,
        keys,
        host: node.host,
        ports,
      }),
      checkPlace: () => checkPlace(id, phase()),
    },
    access,
    counters,
    log,
    linkTurn,
  };
  const http = createHttpApi(api, 'internal');
  const admin = node.adminPort === undefined ? undefined : createHttpApi(api, 'admin');
  const unfollowKeys = serveLinks(http, holder, node.maxLinkUnreadBytes, keys, (request) => {
    checkPlace(id, phase());
    return access.proveLink(request);
  });
  const ringChanged = (current: RingState): void => {
    holder.ringChanged(current);
    forwarder.keepOnly(current.members);
    clients.keepOnly(current.members);
  };
  const unsubscribe = tracker.subscribe(ringChanged);
  ringChanged(tracker.current);
  const close = async (): Promise<void> => {
    limits.close();
    holder.stop();
    acknowledgements.close();
    unsubscribe();
    unfollowKeys();
    for (const { sessions } of [...users.users()])
      for (const session of [...sessions])
        if (session instanceof DirectSession) session.close(serviceRestart, 'service restart');
    holder.closeLinks(serviceRestart.code, 'service restart');
    direct.close();
    http.close();
    admin?.close();
    await queueSide.close();
    await closeSending(sender, clients);
    metrics.close();
  };
  return { http, admin, direct, holder, admission, queueSide, inbound, counters, close };
}
