import { createRingTracker, type RingState, type RingTracker, systemClock } from '@pinwheel/membership';
import type { MigrationStatus } from '@pinwheel/migration';
import { PinwheelError } from '@pinwheel/protocol';
import { describeRingSettings, ringSettingsDigest } from '@pinwheel/ring';
import { type Listening, listen } from '@pinwheel/server';
import { Leaving } from './lifecycle/leaving.js';
import { SameId } from './lifecycle/same-id.js';
import { type CheckedNodeOptions, checkNodeOptions, type NodeOptions } from './node-options.js';
import { createNodeParts, type NodeParts } from './node-parts.js';

/** A running node. */
export interface PinwheelNode {
  readonly id: string;
  readonly port: number;
  readonly wsPort: number;
  /** `undefined` when no admin port was asked for. */
  readonly adminPort: number | undefined;
  readonly tracker: RingTracker;
  readonly migration: MigrationStatus;
  readonly sessions: number;
  /** Resolves when the node is in the ring; rejects with `deadline` after so many ms, default 15,000. */
  ready(deadlineMs?: number): Promise<void>;
  /**
   * Leaves as planned: says so in membership, sends its users on at the pace, takes its entry out and closes.
   * Resolves when that is done, at the latest four seconds after `drainMs`. May be called twice.
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
 * @throws PinwheelError (rejects) `bad-option`, `listen`, `settings-mismatch`, `membership`: the source cannot be read
 * or written to, or another node runs under this id (for one that drains it waits for 5 s); `closed`: it was told to leave while it started.
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
    const sameId = new SameId({ id: checked.id, incarnation: checked.incarnation, tracker });
    await sameId.refuseSecond();
    const node = new RunningNode(checked, tracker, state, sameId);
    await node.start();
    return node;
  } catch (thrown) {
    await tracker.close();
    throw thrown;
  }
}

const pollMs = 20;
/** RFC 6455's own code for a server that goes away. */
const serviceRestart = 1012;

class RunningNode implements PinwheelNode {
  readonly id: string;
  readonly tracker: RingTracker;
  readonly closed: Promise<void>;
  readonly #options: CheckedNodeOptions;
  readonly #parts: NodeParts;
  readonly #leaving: Leaving;
  readonly #sameId: SameId;
  #api: Listening | undefined;
  #admin: Listening | undefined;
  #wsPort = 0;
  #resolveClosed: () => void = () => {};

  constructor(options: CheckedNodeOptions, tracker: RingTracker, state: RingState, sameId: SameId) {
    this.id = options.id;
    this.tracker = tracker;
    this.#options = options;
    this.#sameId = sameId;
    this.closed = new Promise((resolve) => {
      this.#resolveClosed = resolve;
    });
    const parts = createNodeParts({
      node: options,
      tracker,
      state,
      phase: () => this.#leaving.phase,
      ports: () => this,
      drain: () => void this.drain(),
    });
    this.#parts = parts;
    this.#leaving = new Leaving({
      id: options.id,
      drainMs: options.drainMs,
      log: options.log,
      admission: parts.admission,
      moves: parts.holder.moves,
      users: () => this.#usersWithSomewhereToGo() + parts.holder.handoffs.underWay,
      unread: () => parts.direct.unread,
      unheard: () => parts.inbound.onlyHere,
      lastRequests: () => {
        const before = parts.counters.unanswered;
        parts.counters.unanswered = { count: 0, areLate: true };
        return () => before.count;
      },
      isInRing: () => this.#isInRing(),
      sayLast: () => {
        const { users, copies, handoffs } = parts.holder;
        // where this ring has no other node, those who are there are waited for by nobody
        if (users.userCount + copies.count === 0) handoffs.commits.sayLast();
      },
      end: () => this.#end(),
    });
  }

  get port(): number {
    return this.#api?.port ?? 0;
  }

  get wsPort(): number {
    return this.#wsPort;
  }

  get adminPort(): number | undefined {
    return this.#admin?.port;
  }

  get migration(): MigrationStatus {
    return this.#parts.holder.moves.status;
  }

  get sessions(): number {
    return this.#parts.holder.users.sessionCount;
  }

  /** Listens and enters the membership. */
  async start(): Promise<void> {
    const {
      bindHost,
      port,
      wsPort,
      adminHost,
      adminPort,
      id,
      host,
      weight,
      incarnation,
      membership,
      ringSettings,
      log,
    } = this.#options;
    const { http, admin, direct, queueSide } = this.#parts;
    try {
      await queueSide.start();
      const named = port > 0 && wsPort > 0 ? undefined : await membership.portsOf?.(id);
      this.#api = await listen(http, bindHost, port || (named?.port ?? 0), 'port');
      this.#wsPort = await direct.port.listen(bindHost, wsPort || (named?.wsPort ?? 0), 'wsPort');
      if (admin !== undefined) {
        this.#admin = await listen(admin, adminHost, adminPort ?? 0, 'adminPort');
      }
      const registered = await membership.register({
        id,
        address: host,
        port: this.port,
        wsPort: this.wsPort,
        weight,
        incarnation,
        settingsDigest: ringSettingsDigest(ringSettings),
        settingsText: describeRingSettings(ringSettings),
      });
      await this.#leaving.serving(registered);
      if (this.#leaving.phase === 'closed') {
        throw new PinwheelError('closed', `node ${id} was told to leave while it started`);
      }
    } catch (thrown) {
      await this.close();
      throw thrown;
    }
    this.#sameId.watch((where) => {
      void this.#leaving.replaced(where);
      // edges go to whoever has the id now; what they wrote here would be for nobody
      this.#parts.holder.closeLinks(serviceRestart, 'another process has taken the place of this node');
    });
    log.info(
      { node: id, port: this.port, wsPort: this.wsPort, adminPort: this.adminPort },
      'node is serving',
    );
  }

  async ready(deadlineMs = 15_000): Promise<void> {
    const last = systemClock.now() + deadlineMs;
    while (this.#leaving.phase === 'closed' || !this.#isInRing()) {
      if (this.#leaving.phase === 'closed' || systemClock.now() >= last) {
        throw new PinwheelError('deadline', `node ${this.id} was not in the ring within ${deadlineMs} ms`);
      }
      await new Promise((resolve) => setTimeout(resolve, pollMs));
    }
  }

  drain(): Promise<void> {
    return this.#leaving.drain();
  }

  close(): Promise<void> {
    return this.#leaving.close();
  }

  async #end(): Promise<void> {
    this.#sameId.stop();
    this.#api?.stop();
    this.#admin?.stop();
    this.#parts.direct.port.stop();
    await this.#parts.close();
    await this.tracker.close();
    this.#resolveClosed();
  }

  /** When no other node is there, nobody will have those whose clients are away: only sockets that end here are waited for. */
  #usersWithSomewhereToGo(): number {
    const { moves, users, copies } = this.#parts.holder;
    const { ring, members } = this.tracker.current;
    const hasOthers = ring.members.some(({ id }) => id !== this.id && members.get(id)?.kind === 'node');
    // copies that are this node's already would be taken back, in part
    return hasOthers ? users.userCount + copies.count : moves.foreignUsers;
  }

  #isInRing(): boolean {
    return this.tracker.current.ring.members.some((member) => member.id === this.id);
  }
}
