import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { consulMembership, createRingTracker, type RingTracker } from '@pinwheel/membership';
import { startConsul, type Teardown, type TestConsul } from './consul.js';
import { type PinwheelProcess, startPinwheel } from './pinwheel-process.js';
import { until } from './until.js';

export interface NodeFacts {
  readonly id: string;
  readonly port: number;
}

export interface EdgeFacts {
  readonly id: string;
  readonly port: number;
  readonly adminPort: number;
}

/** What a client has sent, as an application took it. */
export interface Taken {
  readonly user: string;
  readonly data: string;
  /** That of its client's message, the same when it is processed again. */
  readonly id: string | undefined;
  readonly at: bigint;
}

const calm = { deadlineMs: 60_000 };
const app = fileURLToPath(new URL('./recording-app.mjs', import.meta.url));

/** Nodes and link edges as processes on a real Consul, with an application that records. */
export class LinkService {
  readonly consul: TestConsul;
  readonly tracker: RingTracker;
  readonly nodes = new Map<string, PinwheelProcess<NodeFacts>>();
  readonly edges = new Map<string, PinwheelProcess<EdgeFacts>>();
  readonly #t: Teardown;
  readonly #folder: string;

  private constructor(t: Teardown, consul: TestConsul, tracker: RingTracker, folder: string) {
    this.#t = t;
    this.consul = consul;
    this.tracker = tracker;
    this.#folder = folder;
  }

  static async start(t: Teardown, nodes: readonly string[], edges: readonly string[]): Promise<LinkService> {
    const folder = await mkdtemp(join(tmpdir(), 'pinwheel-test-'));
    t.teardown(() => rm(folder, { recursive: true, force: true }));
    const consul = await startConsul(t);
    const membership = consulMembership({ host: consul.host, port: consul.port, service: 'chat' });
    const tracker = createRingTracker({ membership });
    t.teardown(async () => {
      await tracker.close();
      await membership.close();
    });
    const service = new LinkService(t, consul, tracker, folder);
    await Promise.all([
      ...nodes.map((id) => service.startNode(id)),
      ...edges.map((id) => service.startEdge(id)),
    ]);
    await tracker.start();
    await service.ringOf(...nodes);
    return service;
  }

  async startNode(id: string): Promise<void> {
    const words = ['node', '--id', id, '--membership', this.consul.url('chat'), '--log-level', 'warn'];
    const environment = { PINWHEEL_TEST_RECORD: join(this.#folder, `${id}.ndjson`) };
    this.nodes.set(id, await startPinwheel<NodeFacts>(this.#t, [...words, '--app', app], environment));
  }

  async startEdge(id: string): Promise<void> {
    const words = ['edge', '--id', id, '--membership', this.consul.url('chat'), '--log-level', 'warn'];
    const ports = ['--port', '0', '--admin-port', '0', '--drain-ms', '2000'];
    this.edges.set(id, await startPinwheel<EdgeFacts>(this.#t, [...words, ...ports]));
  }

  /** Where a client connects: any edge that is there. */
  readonly someEdge = (): string => {
    const edges = [...this.edges.values()];
    return `ws://127.0.0.1:${edges[Math.floor(Math.random() * edges.length)]!.facts.port}`;
  };

  /** Resolves when this process goes by the ring of these members. */
  async ringOf(...ids: readonly string[]): Promise<void> {
    const wanted = [...ids].sort().join(' ');
    const members = (): string => this.tracker.current.ring.members.map(({ id }) => id).join(' ');
    await until(`the ring has ${wanted}`, () => members() === wanted, calm);
  }

  /** Resolves when every node goes by this process's ring, holds its own users and nobody else's, `users` in all. */
  async settled(users: number): Promise<void> {
    const ask = async (port: number, path: string) => (await fetch(`http://127.0.0.1:${port}${path}`)).json();
    await until(
      `the nodes hold ${users} users, each its own`,
      async () => {
        let held = 0;
        for (const { facts } of this.nodes.values()) {
          const { fingerprint } = (await ask(facts.port, '/v1/ring')) as { fingerprint: string };
          const moves = (await ask(facts.port, '/v1/migrations')) as { waiting: number; users: number };
          if (fingerprint !== this.tracker.current.ring.fingerprint || moves.waiting > 0) return false;
          held += moves.users;
        }
        return held === users || Promise.reject(new Error(`${held} users are held`));
      },
      calm,
    );
  }

  /** What the applications have taken so far, in the order of time. */
  async taken(): Promise<readonly Taken[]> {
    const taken: Taken[] = [];
    for (const file of await readdir(this.#folder)) {
      if (!file.endsWith('.ndjson')) continue;
      for (const line of (await readFile(join(this.#folder, file), 'utf8')).split('\n')) {
        if (line === '') continue;
        const { at, ...rest } = JSON.parse(line) as Omit<Taken, 'at'> & { readonly at: string };
        taken.push({ ...rest, at: BigInt(at) });
      }
    }
    return taken.sort((a, b) => (a.at < b.at ? -1 : 1));
  }
}
