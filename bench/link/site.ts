import { Child } from '@pinwheel/bench/load/child.js';
import { pause } from '@pinwheel/bench/load/pause.js';
import type { Membership } from '@pinwheel/membership';
import type { Way } from './client-targets.js';
import type { ClientsQuestion, ClientsStatus } from './clients-process.js';
import { Nodes, type NodesOptions } from './nodes.js';
import { type Contender, type RunningProxy, startProxy } from './proxy.js';

const quietMs = 300;
const attachDeadlineMs = 30_000;

export interface SiteOptions extends NodesOptions {
  readonly nodes?: readonly string[];
  /** How many proxies stand side by side, default 1; clients take turns. */
  readonly proxies?: number;
}

/** Nodes, what stands before them, and all clients in one process. */
export class Site {
  readonly nodes: Nodes;
  readonly proxies: readonly RunningProxy[];
  readonly clients: Child<ClientsQuestion, ClientsStatus>;

  private constructor(
    nodes: Nodes,
    proxies: readonly RunningProxy[],
    clients: Child<ClientsQuestion, ClientsStatus>,
  ) {
    this.nodes = nodes;
    this.proxies = proxies;
    this.clients = clients;
  }

  static async start(contender: Contender, options: SiteOptions = {}): Promise<Site> {
    const nodes = await Nodes.start(options.nodes ?? ['n1', 'n2'], options);
    const proxies: RunningProxy[] = [];
    for (let i = 1; i <= (options.proxies ?? 1); i++) {
      const proxy = await startProxy(contender, nodes, `e${i}`);
      if (proxy !== undefined) proxies.push(proxy);
    }
    const way: Way =
      proxies.length === 0 ? { members: nodes.path } : { ports: proxies.map(({ port }) => port) };
    const script = new URL('./clients-process.ts', import.meta.url);
    return new Site(nodes, proxies, await Child.start(script, [JSON.stringify(way)]));
  }

  membership(): Membership {
    return this.nodes.membership();
  }

  get proxyPids(): readonly number[] {
    return this.proxies.flatMap(({ pids }) => pids);
  }

  /** Resolves when the nodes have so many sessions, with the time by `performance.now()`. */
  async attached(sessions: number): Promise<number> {
    const deadline = performance.now() + attachDeadlineMs;
    for (;;) {
      const now = await this.nodes.sessions();
      const at = performance.now();
      if (now === sessions) return at;
      if (at > deadline) {
        const { connected, closed } = await this.clients.ask('status');
        const codes = JSON.stringify([...closed]);
        throw new Error(
          `the nodes have ${now} sessions, not ${sessions}; ${connected} clients, closed by code ${codes}`,
        );
      }
      await pause(10);
    }
  }

  /** How often each message came to a client, once nothing more comes. */
  async arrived(): Promise<Uint8Array> {
    let received = -1;
    for (;;) {
      const now = await this.clients.ask<number>('received');
      if (now === received) return this.clients.ask<Uint8Array>('counts');
      received = now;
      await pause(quietMs);
    }
  }

  async stop(): Promise<void> {
    this.clients.stop();
    for (const proxy of this.proxies) proxy.stop();
    await this.nodes.stop();
  }
}
