import type { SimEvent } from './event.js';
import { SimClient } from './sim-client.js';
import type { SimNode } from './sim-node.js';
import type { Simulation } from './simulation.js';
import type { Wire } from './wire.js';

/** Makes the events of a schedule happen. One that has lost its sense, because of an earlier one, does nothing. */
export class Happenings {
  readonly #sim: Simulation;

  constructor(sim: Simulation) {
    this.#sim = sim;
  }

  schedule(events: readonly SimEvent[]): void {
    const { world } = this.#sim;
    for (const event of events) {
      world.after(event.at - world.now, undefined, () => {
        const { at: _, ...what } = event;
        world.note(() => `--- ${JSON.stringify(what)}`);
        this.happen(event);
      });
    }
  }

  happen(event: SimEvent): void {
    const sim = this.#sim;
    const { network, membership } = sim;
    switch (event.kind) {
      case 'send': {
        const sender = sim.senders.get(event.sender);
        for (let i = 0; i < event.count; i++) void sender?.send(event.user);
        break;
      }
      case 'client sends': {
        const client = sim.clients.get(event.client);
        for (let i = 0; i < event.count; i++) void client?.send();
        break;
      }
      case 'client sends to': {
        const client = sim.clients.get(event.client);
        if (client instanceof SimClient) void client.sendTo(event.user);
        break;
      }
      case 'join':
        if (sim.nodes.get(event.node)?.process.isDead !== false) sim.join(event.node);
        break;
      case 'drain':
        if (sim.servingNodes.length < 2) break;
        this.#touch(event.node);
        this.#in(event.node, (node) => void node.drain());
        break;
      case 'crash':
        this.#crash(event);
        break;
      case 'pause':
        this.#pause(event);
        break;
      case 'dismiss':
        this.#touch(event.node);
        membership.leave(event.node);
        this.#later(event.forMs, () => this.#enter(event.node));
        break;
      case 'blind':
        this.#blind(event.process, event.forMs);
        break;
      case 'part':
        this.#touch(event.one, event.other);
        network.part(event.one, event.other);
        this.#later(event.forMs, () => network.heal(event.one, event.other));
        break;
      case 'cut link':
        this.#touch(event.edge, event.node);
        for (const wire of this.#links(event.edge, event.node))
          wire.cut([event.edgeToldMs, event.nodeToldMs]);
        break;
      case 'freeze link':
        this.#touch(event.edge, event.node);
        for (const wire of this.#links(event.edge, event.node)) {
          const ends = event.from === 'both' ? [wire.a, wire.b] : [event.from === 'edge' ? wire.a : wire.b];
          wire.freeze(ends);
          this.#later(event.forMs, () => {
            if (!network.isParted(event.edge, event.node)) wire.thaw();
          });
        }
        break;
      case 'lose calls':
        network.lossRate = event.rate;
        this.#later(event.forMs, () => {
          network.lossRate = 0;
        });
        break;
      case 'slow calls':
        network.slownessMs = event.mostMs;
        this.#later(event.forMs, () => {
          network.slownessMs = 0;
        });
        break;
      case 'crash edge': {
        const edge = sim.edges.get(event.edge);
        if (edge === undefined || edge.process.isDead) break;
        this.#touch(event.edge);
        edge.crash(event.silent);
        this.#later(event.backMs, () => sim.startEdge(event.edge));
        break;
      }
      case 'pause edge': {
        const edge = sim.edges.get(event.edge);
        if (edge?.process.isRunning !== true) break;
        this.#touch(event.edge);
        edge.process.pause();
        this.#later(event.forMs, () => edge.process.wake());
        break;
      }
      case 'drain edge': {
        const edge = sim.edges.get(event.edge);
        if (edge?.process.isRunning !== true) break;
        this.#touch(event.edge);
        edge.drain();
        this.#later(event.backMs, () => {
          if (edge.process.isDead) return;
          edge.crash(false);
          sim.startEdge(event.edge);
        });
        break;
      }
      case 'cut client': {
        const client = sim.clients.get(event.client);
        this.#touch(event.client);
        client?.socket?.wire.cut([event.clientToldMs, event.edgeToldMs]);
        break;
      }
      case 'client sleeps': {
        const client = sim.clients.get(event.client);
        if (client?.process.isRunning !== true) break;
        this.#touch(event.client);
        client.process.pause();
        this.#later(event.forMs, () => client.process.wake());
        break;
      }
      case 'client does not read': {
        const wire = sim.clients.get(event.client)?.socket?.wire;
        if (wire === undefined) break;
        this.#touch(event.client);
        wire.freeze([wire.b]);
        this.#later(event.forMs, () => wire.thaw());
        break;
      }
      case 'client closes': {
        const client = sim.clients.get(event.client);
        if (!(client instanceof SimClient) || !client.process.isRunning) break;
        this.#touch(event.client);
        void client.close();
        break;
      }
      case 'pause moves':
        this.#in(event.node, ({ holder }) => {
          holder.moves.change({ paused: true });
          this.#later(event.forMs, () =>
            this.#in(event.node, (node) => node.holder.moves.change({ paused: false })),
          );
        });
        break;
      default:
        event satisfies never;
    }
  }

  /** Everything is put right: whoever lives is awake, can be reached and is in the membership, and everybody knows. */
  heal(): void {
    const { network, nodes, edges, clients, trackers, membership, world } = this.#sim;
    world.note(() => '--- everything is healed');
    network.healAll();
    this.#sim.applicationMs = 0;
    for (const { process } of [...nodes.values(), ...edges.values(), ...clients.values()]) process.wake();
    for (const id of membership.members.keys())
      if (nodes.get(id)?.process.isDead !== false) membership.leave(id);
    for (const id of nodes.keys()) this.#enter(id);
    if (this.#sim.servingNodes.length === 0) this.#sim.join('n9');
    for (const node of nodes.values()) node.holder.moves.change({ paused: false });
    membership.lagMs = () => world.random() * 50;
    for (const tracker of trackers) {
      tracker.isCutOff = false;
      tracker.hearAll(world.random() * 100);
    }
  }

  #crash({ node: id, silent, noticedMs, backMs }: Extract<SimEvent, { kind: 'crash' }>): void {
    const { nodes, membership, servingNodes } = this.#sim;
    const node = nodes.get(id);
    if (node === undefined || node.process.isDead || servingNodes.length < 2) return;
    this.#touch(id);
    node.crash(silent);
    const { incarnation } = node.process;
    this.#later(noticedMs, () => membership.leave(id, incarnation));
    if (backMs === undefined) return;
    this.#later(backMs, () => {
      if (nodes.get(id) === node) this.#sim.join(id);
    });
  }

  #pause({ node: id, forMs, noticedMs }: Extract<SimEvent, { kind: 'pause' }>): void {
    const { membership } = this.#sim;
    this.#in(id, (node) => {
      this.#touch(id);
      node.process.pause();
      const { incarnation } = node.process;
      if (noticedMs !== undefined && noticedMs < forMs)
        this.#later(noticedMs, () => {
          if (node.process.isPaused) membership.leave(id, incarnation);
        });
      this.#later(forMs, () => {
        node.process.wake();
        this.#enter(id);
      });
    });
  }

  #blind(id: string, forMs: number): void {
    const tracker = [...this.#sim.trackers].find(({ process }) => process.id === id);
    if (tracker === undefined) return;
    tracker.isCutOff = true;
    this.#later(forMs, () => {
      tracker.isCutOff = false;
      tracker.hearAll(0);
    });
  }

  /** Its health check passes again. */
  #enter(id: string): void {
    const { membership, nodes } = this.#sim;
    const node = nodes.get(id);
    if (node === undefined || !node.process.isRunning || node.phase !== 'serving') return;
    if (membership.members.get(id)?.incarnation === node.process.incarnation) return;
    membership.enter(id, node.process.incarnation);
  }

  #in(id: string, call: (node: SimNode) => void): void {
    const node = this.#sim.nodes.get(id);
    if (node?.process.isRunning === true) call(node);
  }

  #links(edge: string, node: string): readonly Wire[] {
    return [...this.#sim.network.wires].filter((wire) => wire.isBetween(edge, node));
  }

  #touch(...ids: readonly string[]): void {
    for (const id of ids) this.#sim.touched.add(id);
  }

  #later(ms: number, call: () => void): void {
    this.#sim.world.after(ms, undefined, call);
  }
}
