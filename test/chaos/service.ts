import { consulMembership, createRingTracker, type RingTracker } from '@pinwheel/membership';
import { startConsul, type Teardown, type TestConsul } from '../kit/consul.js';
import { type PinwheelProcess, startPinwheel } from '../kit/pinwheel-process.js';

export interface NodeFacts {
  readonly id: string;
  readonly port: number;
}

export interface EdgeFacts {
  readonly id: string;
  readonly port: number;
}

/** A node as the chaos sees it: told to leave or to die, or stopped for a while. */
export interface ChaosNode {
  readonly id: string;
  readonly process: PinwheelProcess<NodeFacts>;
  state: 'live' | 'stopped' | 'going';
}

export interface ChaosEdge {
  readonly process: PinwheelProcess<EdgeFacts>;
  state: 'live' | 'going';
}

/** Real processes on a real Consul, and what has happened to them that nobody asked for. */
export class Service {
  readonly consul: TestConsul;
  readonly tracker: RingTracker;
  readonly faults: string[] = [];
  readonly #t: Teardown;
  readonly #nodes = new Set<ChaosNode>();
  readonly #edges = new Set<ChaosEdge>();
  #started = 0;

  private constructor(t: Teardown, consul: TestConsul, tracker: RingTracker) {
    this.#t = t;
    this.consul = consul;
    this.tracker = tracker;
  }

  static async start(t: Teardown): Promise<Service> {
    const consul = await startConsul(t);
    const membership = consulMembership({ host: consul.host, port: consul.port, service: 'chat' });
    const tracker = createRingTracker({ membership });
    t.teardown(async () => {
      await tracker.close();
      await membership.close();
    });
    const service = new Service(t, consul, tracker);
    await Promise.all([service.startNode(), service.startNode(), service.startNode()]);
    await Promise.all([service.startEdge(), service.startEdge()]);
    await tracker.start();
    return service;
  }

  get liveNodes(): readonly ChaosNode[] {
    return [...this.#nodes].filter(({ state }) => state === 'live');
  }

  get stoppedNodes(): readonly ChaosNode[] {
    return [...this.#nodes].filter(({ state }) => state === 'stopped');
  }

  get liveEdges(): readonly ChaosEdge[] {
    return [...this.#edges].filter(({ state }) => state === 'live');
  }

  async startNode(id = `n${++this.#started}`): Promise<ChaosNode> {
    const words = ['node', '--id', id, '--membership', this.consul.url('chat'), '--log-level', 'warn'];
    const node: ChaosNode = { id, process: await startPinwheel<NodeFacts>(this.#t, words), state: 'live' };
    this.#nodes.add(node);
    void node.process.exit.then((code) => {
      this.#nodes.delete(node);
      if (node.state !== 'going') this.faults.push(`node ${id} ended with ${code}: ${node.process.log()}`);
    });
    return node;
  }

  async startEdge(): Promise<ChaosEdge> {
    const words = [
      'edge',
      '--id',
      `e${++this.#started}`,
      '--membership',
      this.consul.url('chat'),
      '--port',
      '0',
    ];
    const process = await startPinwheel<EdgeFacts>(this.#t, [...words, '--log-level', 'warn']);
    const edge: ChaosEdge = { process, state: 'live' };
    this.#edges.add(edge);
    void process.exit.then((code) => {
      this.#edges.delete(edge);
      if (edge.state !== 'going' || code !== 0)
        this.faults.push(`an edge ended with ${code}: ${process.log()}`);
    });
    return edge;
  }
}
