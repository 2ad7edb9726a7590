import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Child } from '@pinwheel/bench/load/child.js';
import { localMembers } from '@pinwheel/bench/load/local-members.js';
import { pause } from '@pinwheel/bench/load/pause.js';
import { type Membership, type StaticMember, staticMembership } from '@pinwheel/membership';
import type { ClientsQuestion, ClientsStatus } from './clients-process.js';
import type { NodeQuestion, NodeStatus } from './node-process.js';

const quietMs = 300;

export interface ServiceOptions {
  /** The pace of each node; default 500. */
  readonly usersPerSecond?: number;
  /** As in a file of keys; default: nobody proves anything. */
  readonly keys?: string;
}

type Node = Child<NodeQuestion, NodeStatus>;

/** Nodes, each a process, with their members in a file, and one process with all the clients. */
export class Service {
  readonly members: StaticMember[] = [];
  readonly #folder: string;
  readonly #options: ServiceOptions;
  readonly #nodes = new Map<string, Node>();
  #clients: Child<ClientsQuestion, ClientsStatus> | undefined;

  private constructor(folder: string, options: ServiceOptions) {
    this.#folder = folder;
    this.#options = options;
  }

  static async start(nodes: readonly string[], options: ServiceOptions = {}): Promise<Service> {
    const service = new Service(await mkdtemp(join(tmpdir(), 'pinwheel-bench-')), options);
    service.members.push(...(await localMembers(nodes)));
    await service.#write(service.#path);
    for (const member of service.members) await service.#startNode(member, service.#path);
    await service.#ringOf(nodes.length);
    service.#clients = await Child.start(new URL('./clients-process.ts', import.meta.url), [
      service.#path,
      ...service.#keys,
    ]);
    return service;
  }

  membership(): Membership {
    return staticMembership(this.#path, { pollMs: 100 });
  }

  node(id: string): Node {
    return this.#nodes.get(id)!;
  }

  get clients(): Child<ClientsQuestion, ClientsStatus> {
    return this.#clients!;
  }

  /** Resolves when every node has it in its ring: the move of its users is under way. */
  async join(id: string): Promise<void> {
    // it starts by a list of its own: the others hear of it when it serves
    const [member] = await localMembers([id]);
    this.members.push(member!);
    const own = join(this.#folder, `${id}.json`);
    await this.#write(own);
    await this.#startNode(member!, own);
    await this.#write(this.#path);
    await this.#ringOf(this.members.length);
  }

  async nodesCpuMicros(): Promise<number> {
    const all = await Promise.all([...this.#nodes.values()].map((node) => node.ask('status')));
    return all.reduce((sum, { cpuMicros }) => sum + cpuMicros, 0);
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
    for (const node of this.#nodes.values()) node.stop();
    await rm(this.#folder, { recursive: true });
  }

  async #ringOf(size: number): Promise<void> {
    for (const node of this.#nodes.values()) {
      while ((await node.ask('status')).ringMembers.length !== size) await pause(20);
    }
  }

  get #keys(): readonly string[] {
    return this.#options.keys === undefined ? [] : [this.#options.keys];
  }

  get #path(): string {
    return join(this.#folder, 'members.json');
  }

  async #startNode({ id, port, wsPort }: StaticMember, path: string): Promise<void> {
    const { usersPerSecond = 500 } = this.#options;
    const args = [path, id, port, wsPort, usersPerSecond, ...this.#keys].map(String);
    this.#nodes.set(id, await Child.start(new URL('./node-process.ts', import.meta.url), args, nodeFlags()));
  }

  async #write(path: string): Promise<void> {
    await writeFile(`${path}.next`, JSON.stringify({ members: this.members }));
    // replaced at once: nobody reads half a file
    await rename(`${path}.next`, path);
  }
}

/** `PINWHEEL_BENCH_NODE_FLAGS=--cpu-prof` profiles the nodes. */
function nodeFlags(): readonly string[] {
  return process.env['PINWHEEL_BENCH_NODE_FLAGS']?.split(' ') ?? [];
}
