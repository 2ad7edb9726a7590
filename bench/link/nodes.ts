import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePorts } from '@pinwheel/bench/load/free-ports.js';
import { pause } from '@pinwheel/bench/load/pause.js';
import { type Membership, type StaticMember, staticMembership } from '@pinwheel/membership';
import { type PinwheelProgram, startPinwheelProgram } from './pinwheel-program.js';
import { sessionsAt } from './sessions-at.js';

const readyDeadlineMs = 15_000;

export interface NodesOptions {
  /** The pace of each; default 500. */
  readonly usersPerSecond?: number;
  /** How often everybody looks whether somebody has left; default 1000 ms. */
  readonly pollMs?: number;
}

/** Nodes, each a process, with their members in a file. */
export class Nodes {
  readonly members: readonly StaticMember[];
  /** Where whatever belongs to this service may be written; gone when it stops. */
  readonly folder: string;
  readonly #pollMs: number;
  readonly #programs = new Map<string, PinwheelProgram>();

  private constructor(members: readonly StaticMember[], folder: string, pollMs: number) {
    this.members = members;
    this.folder = folder;
    this.#pollMs = pollMs;
  }

  /** Resolves when every node has all of them in its ring. */
  static async start(
    ids: readonly string[],
    { usersPerSecond = 500, pollMs = 1000 }: NodesOptions = {},
  ): Promise<Nodes> {
    const ports = await freePorts(2 * ids.length);
    const members = ids.map((id, i) => ({
      ...{ id, address: '127.0.0.1' },
      ...{ port: ports[2 * i]!, wsPort: ports[2 * i + 1]! },
    }));
    const nodes = new Nodes(members, await mkdtemp(join(tmpdir(), 'pinwheel-bench-')), pollMs);
    await writeFile(nodes.path, JSON.stringify({ members }));
    for (const { id, port, wsPort } of members) {
      const words = ['node', '--id', id, '--ws-port', String(wsPort), '--membership', nodes.url];
      const pace = ['--users-per-second', String(usersPerSecond)];
      nodes.#programs.set(id, await startPinwheelProgram([...words, ...pace], port));
    }
    await nodes.#complete();
    return nodes;
  }

  /** The file with the members. */
  get path(): string {
    return join(this.folder, 'members.json');
  }

  /** The same for the command line. */
  get url(): string {
    return `static:${this.path}?poll-ms=${this.#pollMs}`;
  }

  membership(): Membership {
    return staticMembership(this.path, { pollMs: this.#pollMs });
  }

  get pids(): readonly number[] {
    return [...this.#programs.values()].flatMap(({ pids }) => pids);
  }

  /** Of one node, or of all; a node that has left has none. */
  async sessions(id?: string): Promise<number> {
    const asked = this.members.filter((member) => id === undefined || member.id === id);
    const each = await Promise.all(asked.map(({ port }) => sessionsAt(port)));
    return each.reduce((sum, sessions) => sum + sessions, 0);
  }

  async collect(): Promise<void> {
    for (const program of this.#programs.values()) await program.collect();
  }

  async stop(): Promise<void> {
    for (const program of this.#programs.values()) program.stop();
    await rm(this.folder, { recursive: true });
  }

  async #complete(): Promise<void> {
    const deadline = performance.now() + readyDeadlineMs;
    for (const { id, port } of this.members) {
      while ((await ringSizeAt(port)) !== this.members.length) {
        if (performance.now() > deadline) throw new Error(`${id} does not have everybody in its ring`);
        await pause(20);
      }
    }
  }
}

/** 0 at a node that has no ring yet. */
async function ringSizeAt(port: number): Promise<number> {
  const answer = await fetch(`http://127.0.0.1:${port}/v1/ring`);
  return ((await answer.json()) as { readonly members?: readonly unknown[] }).members?.length ?? 0;
}
