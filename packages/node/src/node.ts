import {
  addRingMetrics,
  createRingTracker,
  type Registered,
  type RingState,
  type RingTracker,
  systemClock,
} from '@pinwheel/membership';
import { Metrics } from '@pinwheel/metrics';
import type { MigrationStatus } from '@pinwheel/migration';
import { headers, PinwheelError } from '@pinwheel/protocol';
import { describeRingSettings, ringSettingsDigest } from '@pinwheel/ring';
import { addSenderMetrics, createSender, messageIds, NodeClients, type Sender } from '@pinwheel/sender';
import { AdminApi } from './admin-api.js';
import { Admission } from './admission.js';
import { BroadcastApi } from './broadcast-api.js';
import { Claims } from './claims.js';
import { DirectSessions } from './direct-sessions.js';
import type { AnswerHeaders } from './exchange.js';
import { Forwarder } from './forwarder.js';
import { HealthApi } from './health-api.js';
import { createHttpApi } from './http-api.js';
import { Inbound } from './inbound.js';
import { type Listening, listen } from './listen.js';
import { MessagesApi } from './messages-api.js';
import { Moves } from './moves.js';
import { createNodeCounters } from './node-counters.js';
import { addNodeMetrics } from './node-metrics.js';
import { type CheckedNodeOptions, checkNodeOptions, type NodeOptions } from './node-options.js';
import { Ownership } from './ownership.js';
import { Router } from './router.js';
import type { Session } from './session.js';
import { SessionTable } from './session-table.js';
import { UsersApi } from './users-api.js';
import type { TemplatedApp } from './uws.js';

/** A running node. */
export interface PinwheelNode {
  readonly id: string;
  readonly port: number;
  readonly wsPort: number;
  readonly tracker: RingTracker;
  readonly migration: MigrationStatus;
  readonly sessions: number;
  /** Resolves when the node is in the ring; rejects with `deadline` after so many ms, default 15,000. */
  ready(deadlineMs?: number): Promise<void>;
  /**
   * Leaves as planned: says so in membership, sends its users on at the pace, takes its entry out and closes.
   * Resolves when that is done, at the latest a few seconds after `drainMs`. May be called twice.
   */
  drain(): Promise<void>;
  /** Resolves when the node is closed, whoever closed it. */
  readonly closed: Promise<void>;
  /** Takes its entry out and closes at once; clients are cut off. May be called twice, and during a drain. */
  close(): Promise<void>;
}

/**
 * Starts a node: follows the ring, listens, and enters itself.
 *
 * @throws PinwheelError (rejects) `bad-option`, `listen`, `settings-mismatch`, `membership`.
 */
export async function createNode(options: NodeOptions): Promise<PinwheelNode> {
  const checked = checkNodeOptions(options);
  const tracker = createRingTracker({
    ...checked.tracking,
    membership: checked.membership,
    settings: checked.ringSettings,
    log: checked.log,
  });
  try {
    const state = await tracker.start();
    const node = new RunningNode(checked, tracker, state);
    await node.start();
    return node;
  } catch (thrown) {
    await tracker.close();
    throw thrown;
  }
}

type Phase = 'starting' | 'serving' | 'draining' | 'closed';

const catchUpMs = 1500;
const pollMs = 20;
/** Callers that still have the old ring find this node for so long after its last user has gone. */
const lingerMs = 300;
const ringWithoutMeMs = 5000;
/** RFC 6455's own code for a server that goes away; clients reconnect after it. */
const serviceRestart = { code: 1012, name: 'closed' };

class RunningNode implements PinwheelNode {
  readonly id: string;
  readonly tracker: RingTracker;
  readonly closed: Promise<void>;
  readonly #options: CheckedNodeOptions;
  readonly #counters = createNodeCounters();
  readonly #table = new SessionTable();
  readonly #clients = new NodeClients();
  readonly #metrics = new Metrics();
  readonly #ownership: Ownership;
  readonly #moves: Moves;
  readonly #claims: Claims;
  readonly #admission: Admission;
  readonly #forwarder: Forwarder;
  readonly #sender: Sender;
  readonly #inbound: Inbound;
  readonly #direct: DirectSessions;
  readonly #http: TemplatedApp;
  readonly #unsubscribe: () => void;
  #phase: Phase = 'starting';
  #listening: readonly Listening[] = [];
  #registered: Registered | undefined;
  #draining: Promise<void> | undefined;
  #closing: Promise<void> | undefined;
  #resolveClosed: () => void = () => {};

  constructor(options: CheckedNodeOptions, tracker: RingTracker, state: RingState) {
    this.id = options.id;
    this.tracker = tracker;
    this.#options = options;
    this.closed = new Promise((resolve) => {
      this.#resolveClosed = resolve;
    });
    const { now, after } = systemClock;
    const counters = this.#counters;
    const table = this.#table;
    const clients = this.#clients;
    const ownership = new Ownership(options.id, state, now);
    const { deadlineMs, forwardTimeoutMs, usersPerSecond, log } = options;
    const refreshRing = (): void => void tracker.refresh();
    const newId = messageIds();

    this.#ownership = ownership;
    this.#sender = createSender({ tracker, log });
    this.#moves = new Moves({ table, ownership, usersPerSecond, now, after, random: Math.random });
    this.#claims = new Claims({ ownership, clients, deadlineMs });
    this.#admission = new Admission(ownership, tracker, catchUpMs);
    this.#forwarder = new Forwarder({
      clients,
      now,
      maxWaiting: options.maxForwarding,
      memberOf: (id) => ownership.state.members.get(id),
      asking: (member) => ownership.asking(member),
    });
    this.#inbound = new Inbound({
      application: options.application,
      counters,
      log,
      limits: {
        maxPerUser: options.maxInboundPerUser,
        maxBytesPerUser: Math.max(options.maxInboundBytes + 1, 1_048_576),
        maxBytes: options.maxInboundTotalBytes,
      },
      send: (user, data) => this.#sender.send(user, data),
    });
    this.#direct = new DirectSessions({
      admission: this.#admission,
      inbound: this.#inbound,
      counters,
      newId: messageIds(),
      maxInboundBytes: options.maxInboundBytes,
      maxUnreadBytes: options.maxUnreadBytes,
      stalledMs: options.stalledMs,
      idleTimeoutSeconds: options.idleTimeoutSeconds,
      opened: (session) => this.#opened(session),
      closed: (session) => this.#ended(session),
    });

    const observeBatch = addNodeMetrics(this.#metrics, counters, () => ({
      sessions: table.sessionCount,
      users: table.userCount,
      foreignUsers: this.#foreignUsers(),
      forwarding: this.#forwarder.waiting,
      inboundBytes: this.#inbound.waitingBytes,
      migration: this.#moves.status,
    }));
    addRingMetrics(this.#metrics, tracker);
    addSenderMetrics(this.#metrics, this.#sender);
    const router = new Router({
      table,
      ownership,
      forwarder: this.#forwarder,
      counters,
      now,
      forwardTimeoutMs,
      refreshRing,
      observeBatch,
    });
    const shared = { self: options.id, table, ownership, clients, counters, newId, now, deadlineMs };
    this.#http = createHttpApi(
      {
        messages: new MessagesApi({
          ...shared,
          route: (batch, passage) => router.route(batch, passage),
          selfHeaders: () => this.#selfHeaders(),
        }),
        users: new UsersApi(shared),
        broadcast: new BroadcastApi(shared),
        admin: new AdminApi({ table, tracker, moves: this.#moves, counters, drain: () => void this.drain() }),
        health: new HealthApi({
          id: options.id,
          incarnation: options.incarnation,
          tracker,
          metrics: this.#metrics,
          isDraining: () => this.#phase === 'draining' || this.#phase === 'closed',
        }),
      },
      counters,
      log,
    );
    this.#unsubscribe = tracker.subscribe((current) => this.#ringChanged(current));
    this.#ringChanged(tracker.current);
  }

  get port(): number {
    return this.#listening[0]?.port ?? 0;
  }

  get wsPort(): number {
    return this.#listening[1]?.port ?? 0;
  }

  get migration(): MigrationStatus {
    return this.#moves.status;
  }

  get sessions(): number {
    return this.#table.sessionCount;
  }

  /** Listens and enters the membership. */
  async start(): Promise<void> {
    const { bindHost, port, wsPort, id, host, weight, incarnation, membership, ringSettings, log } =
      this.#options;
    try {
      const http = await listen(this.#http, bindHost, port, 'port');
      this.#listening = [http];
      const ws = await listen(this.#direct.app, bindHost, wsPort, 'wsPort');
      this.#listening = [http, ws];
      this.#registered = await membership.register({
        id,
        address: host,
        port: http.port,
        wsPort: ws.port,
        weight,
        incarnation,
        settingsDigest: ringSettingsDigest(ringSettings),
        settingsText: describeRingSettings(ringSettings),
      });
    } catch (thrown) {
      await this.close();
      throw thrown;
    }
    this.#phase = 'serving';
    log.info({ node: id, port: this.port, wsPort: this.wsPort }, 'node is serving');
  }

  async ready(deadlineMs = 15_000): Promise<void> {
    const inRing = (): boolean => this.#phase !== 'closed' && this.#isInRing();
    if (await this.#until(inRing, deadlineMs)) return;
    throw new PinwheelError('deadline', `node ${this.id} was not in the ring within ${deadlineMs} ms`);
  }

  drain(): Promise<void> {
    this.#draining ??= this.#drain();
    return this.#draining;
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #drain(): Promise<void> {
    if (this.#phase === 'closed') return;
    const { drainMs, log } = this.#options;
    this.#phase = 'draining';
    this.#admission.drain();
    log.info({ node: this.id, users: this.#table.userCount }, 'node is draining');
    try {
      await this.#registered?.drain();
    } catch (thrown) {
      log.warn(
        { node: this.id, error: String(thrown) },
        'the draining flag could not be set; draining all the same',
      );
    }
    // users who are told to go before the ring has changed would come straight back
    await this.#until(() => !this.#isInRing(), ringWithoutMeMs);
    this.#moves.leave();
    const emptied = await this.#until(() => this.#table.userCount === 0, drainMs);
    if (!emptied && this.#closing === undefined) {
      log.warn(
        { node: this.id, users: this.#table.userCount },
        'the time to drain is over; the rest goes now',
      );
      this.#moves.finish();
    }
    await this.#until(() => false, lingerMs);
    await this.close();
  }

  async #close(): Promise<void> {
    const { log } = this.#options;
    this.#phase = 'closed';
    try {
      await this.#registered?.leave();
    } catch (thrown) {
      log.warn(
        { node: this.id, error: String(thrown) },
        'the entry could not be taken out of the membership',
      );
    }
    for (const listening of this.#listening) listening.stop();
    this.#moves.stop();
    this.#unsubscribe();
    for (const held of [...this.#table.users()]) {
      for (const session of [...held.sessions]) session.close(serviceRestart, 'service restart');
    }
    this.#direct.close();
    this.#http.close();
    await this.#sender.close();
    await this.#clients.close();
    await this.tracker.close();
    this.#metrics.close();
    log.info({ node: this.id }, 'node is closed');
    this.#resolveClosed();
  }

  #opened(session: Session): void {
    const held = this.#table.add(session, this.#ownership.state.ring.hashOf(session.user));
    this.#moves.attached(held);
    this.#claims.attached(session.user);
  }

  #ended(session: Session): void {
    if (this.#table.remove(session)) this.#moves.gone(session.user);
  }

  #ringChanged(current: RingState): void {
    this.#ownership.ringChanged(current);
    this.#moves.ringChanged();
    this.#forwarder.keepOnly(current.members);
    this.#clients.keepOnly(current.members);
  }

  #isInRing(): boolean {
    return this.tracker.current.ring.members.some((member) => member.id === this.id);
  }

  /** Whoever belongs elsewhere is on the list until its last session is closed. */
  #foreignUsers(): number {
    return this.#moves.status.waiting;
  }

  #selfHeaders(): AnswerHeaders {
    return {
      [headers.fingerprint]: this.#ownership.state.ring.fingerprint,
      [headers.foreignUsers]: String(this.#foreignUsers()),
    };
  }

  /** Whether the condition came true in time; `false` too when the node is closed meanwhile. */
  async #until(condition: () => boolean, deadlineMs: number): Promise<boolean> {
    const last = Date.now() + deadlineMs;
    while (!condition()) {
      if (Date.now() >= last || this.#phase === 'closed') return false;
      await new Promise((resolve) => setTimeout(resolve, pollMs));
    }
    return true;
  }
}
