import { readdirSync } from 'node:fs';
import { freePorts } from '@pinwheel/bench/load/free-ports.js';
import { memoryOf } from '@pinwheel/bench/load/process-usage.js';
import { createSender, type Sender } from '@pinwheel/sender';
import { Nodes } from '../link/nodes.js';
import { type PinwheelProgram, startPinwheelProgram } from '../link/pinwheel-program.js';

export type Upstream = 'link' | 'tunnel';

/** A node and an edge in front of it, each a process, and a sender. */
export class AbusedSite {
  readonly edge: PinwheelProgram;
  readonly sender: Sender;
  readonly nodes: Nodes;
  readonly #adminPort: number;

  private constructor(nodes: Nodes, edge: PinwheelProgram, adminPort: number, sender: Sender) {
    this.nodes = nodes;
    this.edge = edge;
    this.#adminPort = adminPort;
    this.sender = sender;
  }

  static async start(upstream: Upstream): Promise<AbusedSite> {
    const nodes = await Nodes.start(['n1']);
    const [port, adminPort] = await freePorts(2);
    const words = ['edge', '--id', 'e1', '--upstream', upstream, '--membership', nodes.url];
    const edge = await startPinwheelProgram([...words, '--admin-port', String(adminPort)], port!);
    const sender = createSender({ membership: nodes.membership() });
    await sender.ready();
    return new AbusedSite(nodes, edge, adminPort!, sender);
  }

  /** A metric of the edge, named with its label. */
  edgeMetric(name: string): Promise<number> {
    return metricAt(this.#adminPort, name);
  }

  nodeMetric(name: string): Promise<number> {
    return metricAt(this.nodes.members[0]!.port, name);
  }

  /** Descriptors that edge and node have open. */
  descriptors(): number {
    return this.#pids.reduce((sum, pid) => sum + readdirSync(`/proc/${pid}/fd`).length, 0);
  }

  /** Resident, of edge and node together. */
  residentKb(): number {
    return this.#pids.reduce((sum, pid) => sum + memoryOf(pid).residentKb, 0);
  }

  async collectGarbage(): Promise<void> {
    await Promise.all([this.edge.collect(), this.nodes.collect()]);
  }

  async stop(): Promise<void> {
    await this.sender.close();
    this.edge.stop();
    await this.nodes.stop();
  }

  get #pids(): readonly number[] {
    return [...this.edge.pids, ...this.nodes.pids];
  }
}

async function metricAt(port: number, name: string): Promise<number> {
  const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  const line = text.split('\n').find((one) => one.startsWith(`${name} `));
  if (line === undefined) throw new Error(`there is no metric ${name}`);
  return Number(line.slice(name.length));
}
