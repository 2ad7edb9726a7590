import type { RingState } from '@pinwheel/membership';
import { type Excuse, Ledger } from './ledger.js';
import { Network } from './network.js';
import type { ClientSetup, Setup } from './setup.js';
import { SimClient } from './sim-client.js';
import { SimEdge } from './sim-edge.js';
import { SimMembership } from './sim-membership.js';
import { SimMessages } from './sim-messages.js';
import { SimNode } from './sim-node.js';
import { SimPlainClient } from './sim-plain-client.js';
import type { SimProcess } from './sim-process.js';
import { SimSender } from './sim-sender.js';
import type { SimTracker } from './sim-tracker.js';
import { World } from './world.js';

/** A service with everything around it: the real mechanisms, and a world that they cannot tell from the real one. */
export class Simulation {
  readonly setup: Setup;
  readonly world: World;
  readonly network: Network;
  readonly membership: SimMembership;
  readonly messages: SimMessages;
  readonly ledger = new Ledger();
  /** The newest process under each id. */
  readonly nodes = new Map<string, SimNode>();
  readonly edges = new Map<string, SimEdge>();
  readonly senders = new Map<string, SimSender>();
  readonly clients = new Map<string, SimClient | SimPlainClient>();
  /** Owners that any ring has given to a user. */
  readonly owners = new Map<string, Set<string>>();
  /** What ill luck has touched: ids of processes. */
  readonly touched = new Set<string>();
  /** When a ring was seen last that was new to somebody. */
  ringSeenAt = 0;
  /** Longest time of the application for a message, in ms. */
  applicationMs: number;
  readonly users: string[];
  readonly #nodes = new Map<SimProcess, SimNode>();
  readonly #incarnations = new Map<string, number>();

  constructor(setup: Setup, isTraced = false) {
    this.setup = setup;
    this.users = [...new Set(setup.clients.map(({ user }) => user))];
    this.applicationMs = setup.applicationMs;
    this.world = new World(setup.seed, isTraced);
    this.network = new Network(this.world);
    this.membership = new SimMembership(this.world, setup.lateMs);
    this.messages = new SimMessages(this.world, this.network, this.ledger, (process) => this.nodeIn(process));
    for (const id of setup.nodes) this.membership.enter(id, `${id}-1`);
    for (const id of setup.nodes) this.startNode(id);
    for (const id of setup.edges) this.startEdge(id);
    for (const id of setup.senders) this.senders.set(id, new SimSender(this, id));
    for (const client of setup.clients) this.addClient(client);
  }

  /** Of everybody who follows the ring. */
  get trackers(): ReadonlySet<SimTracker> {
    return this.membership.trackers;
  }

  nodeIn(process: SimProcess): SimNode | undefined {
    return this.#nodes.get(process);
  }

  /** Nodes that are, running or paused. */
  get liveNodes(): readonly SimNode[] {
    return [...this.nodes.values()].filter(({ process }) => !process.isDead);
  }

  get servingNodes(): readonly SimNode[] {
    return this.liveNodes.filter(({ phase }) => phase === 'serving');
  }

  get liveEdges(): readonly SimEdge[] {
    return [...this.edges.values()].filter(({ process }) => !process.isDead);
  }

  /** Whether nobody takes that process for one that has left. */
  isKnownToAll({ process }: SimNode): boolean {
    const { id, incarnation } = process;
    if (process.isDead) return false;
    for (const tracker of this.trackers)
      if (tracker.current.members.get(id)?.incarnation !== incarnation) return false;
    return true;
  }

  /** Starts a process under that id; the membership is the caller's. */
  startNode(id: string): SimNode {
    const node = new SimNode(this, id, this.#incarnationOf(id));
    this.nodes.set(id, node);
    this.#nodes.set(node.process, node);
    return node;
  }

  /** Starts a node and enters it. */
  join(id: string): SimNode {
    const node = this.startNode(id);
    this.membership.enter(id, node.process.incarnation);
    return node;
  }

  startEdge(id: string): SimEdge {
    const edge = new SimEdge(this, id, this.#incarnationOf(id));
    this.edges.set(id, edge);
    return edge;
  }

  /** Clients that have not ended their sessions. */
  get liveClients(): readonly (SimClient | SimPlainClient)[] {
    return [...this.clients.values()].filter(({ isClosed }) => !isClosed);
  }

  addClient(client: ClientSetup): void {
    const started = client.speech === 'v1' ? new SimClient(this, client) : new SimPlainClient(this, client);
    this.clients.set(client.name, started);
    if (this.users.includes(client.user)) return;
    this.users.push(client.user);
    for (const tracker of this.trackers) this.ringSeen(tracker.current);
  }

  /** Where a client connects, as a load balancer would have it. */
  someEdge(): string {
    const live = this.liveEdges;
    return live.length === 0 ? this.setup.edges[0]! : this.world.pick(live).id;
  }

  /** @param session its key, or the whole user's sessions. */
  excuse(user: string, session: string | undefined, kind: Excuse['kind']): void {
    this.ledger.excuses.push({ user, session, kind, at: this.world.now });
  }

  ringSeen({ ring }: RingState): void {
    this.ringSeenAt = this.world.now;
    for (const user of this.users) {
      const owner = ring.owner(user);
      if (owner === undefined) continue;
      const owners = this.owners.get(user);
      if (owners === undefined) this.owners.set(user, new Set([owner]));
      else owners.add(owner);
    }
  }

  #incarnationOf(id: string): string {
    const count = (this.#incarnations.get(id) ?? 0) + 1;
    this.#incarnations.set(id, count);
    return `${id}-${count}`;
  }
}
