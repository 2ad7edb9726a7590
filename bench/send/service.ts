import type { Membership, StaticMember } from '@pinwheel/membership';
import { Child } from './child.js';
import type { ClientsQuestion, ClientsStatus } from './clients-process.js';
import { type Node, Nodes } from './nodes.js';
import { pause } from './pause.js';

const quietMs = 300;

/** Nodes, each a process, and one process with all the clients, which look the ring up themselves. */
export class Service {
  readonly clients: Child<ClientsQuestion, ClientsStatus>;
  readonly #nodes: Nodes;

  private constructor(nodes: Nodes, clients: Child<ClientsQuestion, ClientsStatus>) {
    this.#nodes = nodes;
    this.clients = clients;
  }

  /** @param usersPerSecond the pace of each node. */
  static async start(ids: readonly string[], usersPerSecond = 500): Promise<Service> {
    const nodes = await Nodes.start(ids, { usersPerSecond });
    return new Service(nodes, await Child.start('./clients-process.ts', [nodes.path]));
  }

  get members(): readonly StaticMember[] {
    return this.#nodes.members;
  }

  membership(): Membership {
    return this.#nodes.membership();
  }

  node(id: string): Node {
    return this.#nodes.node(id);
  }

  /** Resolves when every node has it in its ring: the move of its users is under way. */
  join(id: string): Promise<void> {
    return this.#nodes.join(id);
  }

  nodesCpuMicros(): Promise<number> {
    return this.#nodes.cpuMicros();
  }

  /** How often each message came to a client, once nothing more comes. */
  async arrived(): Promise<Uint8Array> {
    let received = -1;
    for (;;) {
      const status = await this.clients.ask('status');
      if (status.received === received) return this.clients.ask<Uint8Array>('counts');
      received = status.received;
      await pause(quietMs);
    }
  }

  async stop(): Promise<void> {
    this.clients.stop();
    await this.#nodes.stop();
  }
}
