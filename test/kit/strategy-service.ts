import { createEdge, type Edge } from '@pinwheel/edge';
import { type InProcessMembership, inProcessMembership } from '@pinwheel/membership';
import { createNode, type NodeOptions, type PinwheelNode } from '@pinwheel/node';
import { createSender, type Sender } from '@pinwheel/sender';
import { openStrategy, type StrategySettings } from '@pinwheel/strategy';
import type { Teardown } from './consul.js';
import { PlainClient } from './plain-client.js';
import { until } from './until.js';

/** Nodes, a link edge and a sender of one strategy, each with connections of its own, in this process. */
export class StrategyService {
  readonly nodes = new Map<string, PinwheelNode>();
  readonly sender: Sender;
  readonly membership: InProcessMembership;
  readonly #t: Teardown;
  readonly #settings: StrategySettings;
  #edge: Edge | undefined;

  private constructor(t: Teardown, settings: StrategySettings) {
    this.#t = t;
    this.#settings = settings;
    this.membership = inProcessMembership();
    t.teardown(() => this.membership.close());
    const { strategy, close } = openStrategy(settings);
    const sender = createSender({ strategy, membership: this.membership });
    this.sender = sender;
    t.teardown(async () => {
      await sender.close();
      await close();
    });
  }

  static async start(
    t: Teardown,
    settings: StrategySettings,
    ids: readonly string[] = ['n1', 'n2', 'n3'],
    options: Partial<NodeOptions> = {},
  ): Promise<StrategyService> {
    const service = new StrategyService(t, settings);
    for (const id of ids) await service.startNode(id, options);
    return service;
  }

  async startNode(id: string, options: Partial<NodeOptions> = {}): Promise<PinwheelNode> {
    const { strategy, close } = openStrategy(this.#settings);
    const node = await createNode({ id, membership: this.membership, strategy, ...options });
    this.nodes.set(id, node);
    this.#t.teardown(async () => {
      await node.close();
      await close();
    });
    await node.ready();
    return node;
  }

  node(id: string): PinwheelNode {
    const found = this.nodes.get(id);
    if (found === undefined) throw new Error(`there is no node ${id}`);
    return found;
  }

  /** `ws://127.0.0.1:…` of the edge, which is started when it is first asked for. */
  async edge(): Promise<string> {
    if (this.#edge === undefined) {
      const edge = await createEdge({ id: 'e1', membership: this.membership, port: 0 });
      this.#edge = edge;
      this.#t.teardown(() => edge.close());
    }
    return `ws://127.0.0.1:${this.#edge.port}`;
  }

  /** Resolves when the client's session is at a node. */
  async connectByEdge(user: string): Promise<PlainClient> {
    const client = new PlainClient(this.#t, user, await this.edge());
    await this.#attached(client);
    return client;
  }

  /** A client of the node's own WebSocket port. */
  async connectTo(id: string, user: string): Promise<PlainClient> {
    const client = new PlainClient(this.#t, user, `ws://127.0.0.1:${this.node(id).wsPort}`);
    await until(`${user} is connected to ${id}`, () => client.isConnected);
    return client;
  }

  /** Asks any node's API; resolves with status and JSON body. */
  async call(
    id: string,
    method: string,
    path: string,
    body?: string,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<{ readonly status: number; readonly body: Record<string, unknown> }> {
    const answer = await fetch(`http://127.0.0.1:${this.node(id).port}${path}`, {
      method,
      headers: { 'content-type': 'text/plain', ...headers },
      ...(body === undefined ? {} : { body }),
    });
    return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
  }

  /** Resolves when a registry knows whom the nodes have. */
  async routesWritten(): Promise<void> {
    await until(
      'routes are written',
      async () => (await this.metric('pinwheel_node_routes_unwritten')) === 0,
    );
  }

  /** The sum of a metric over all nodes that are there; of one label value, if given. */
  async metric(name: string, label = ''): Promise<number> {
    let sum = 0;
    for (const { port } of this.nodes.values()) {
      const text = await fetch(`http://127.0.0.1:${port}/metrics`).then(
        (answer) => answer.text(),
        () => '',
      );
      for (const line of text.split('\n')) {
        if (line.startsWith(name) && line.includes(label)) sum += Number(line.slice(line.lastIndexOf(' ')));
      }
    }
    return sum;
  }

  async #attached(client: PlainClient): Promise<void> {
    await until(`${client.user} is at a node`, async () => {
      const anyNode = [...this.nodes.keys()][0]!;
      const { body } = await this.call(anyNode, 'GET', `/v1/users/${encodeURIComponent(client.user)}`);
      return client.isConnected && body['online'] === true;
    });
    await this.routesWritten();
  }
}
