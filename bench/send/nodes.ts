import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Membership, type StaticMember, staticMembership } from '@pinwheel/membership';
import { Child } from './child.js';
import { freePorts } from './free-ports.js';
import type { NodeQuestion, NodeStatus } from './node-process.js';
import { pause } from './pause.js';

export interface NodesOptions {
  /** The pace of each node, default 500. */
  readonly usersPerSecond?: number;
  /** How often everybody asks the members whether they drain, default 100. It costs CPU time of the nodes. */
  readonly pollMs?: number;
}

export type Node = Child<NodeQuestion, NodeStatus>;

/** Nodes, each a process, with their members in a file. */
export class Nodes {
  readonly members: StaticMember[] = [];
  /** Where whatever belongs to this service may be written; gone when it stops. */
  readonly folder: string;
  readonly pollMs: number;
  readonly #usersPerSecond: number;
  readonly #nodes = new Map<string, Node>();

  private constructor(folder: string, { usersPerSecond = 500, pollMs = 100 }: NodesOptions) {
    this.folder = folder;
    this.#usersPerSecond = usersPerSecond;
    this.pollMs = pollMs;
  }

  /** Resolves when every node has all of them in its ring. */
  static async start(ids: readonly string[], options: NodesOptions = {}): Promise<Nodes> {
    const nodes = new Nodes(await mkdtemp(join(tmpdir(), 'pinwheel-bench-')), options);
    nodes.members.push(...(await newMembers(ids)));
    await nodes.#write(nodes.path);
    for (const member of nodes.members) await nodes.#start(member, nodes.path);
    await nodes.#ringOf(ids.length);
    return nodes;
  }

  /** The file with the members. */
  get path(): string {
    return join(this.folder, 'members.json');
  }

  membership(): Membership {
    return staticMembership(this.path, { pollMs: this.pollMs });
  }

  get all(): readonly Node[] {
    return [...this.#nodes.values()];
  }

  node(id: string): Node {
    return this.#nodes.get(id)!;
  }

  /** Resolves when every node has it in its ring: the move of its users is under way. */
  async join(id: string): Promise<void> {
    // it starts by a list of its own: the others hear of it when it serves
    const [member] = await newMembers([id]);
    this.members.push(member!);
    const own = join(this.folder, `${id}.json`);
    await this.#write(own);
    await this.#start(member!, own);
    await this.#write(this.path);
    await this.#ringOf(this.members.length);
  }

  async cpuMicros(): Promise<number> {
    const all = await Promise.all(this.all.map((node) => node.ask('status')));
    return all.reduce((sum, { cpuMicros }) => sum + cpuMicros, 0);
  }

  async sessions(): Promise<number> {
    const all = await Promise.all(this.all.map((node) => node.ask('status')));
    return all.reduce((sum, { sessions }) => sum + sessions, 0);
  }

  async stop(): Promise<void> {
    for (const node of this.#nodes.values()) node.stop();
    await rm(this.folder, { recursive: true });
  }

  async #ringOf(size: number): Promise<void> {
    for (const node of this.#nodes.values()) {
      while ((await node.ask('status')).ringMembers.length !== size) await pause(20);
    }
  }

  async #start({ id, port, wsPort }: StaticMember, path: string): Promise<void> {
    const args = [path, id, port, wsPort, this.#usersPerSecond, this.pollMs].map(String);
    this.#nodes.set(id, await Child.start('./node-process.ts', args, ['--expose-gc', ...nodeFlags()]));
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

async function newMembers(ids: readonly string[]): Promise<readonly StaticMember[]> {
  const ports = await freePorts(2 * ids.length);
  return ids.map((id, i) => ({
    id,
    address: '127.0.0.1',
    port: ports[2 * i]!,
    wsPort: ports[2 * i + 1]!,
  }));
}
