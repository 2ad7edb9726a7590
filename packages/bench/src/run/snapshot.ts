import { cpuMicrosOf, memoryOf } from '../load/process-usage.js';
import type { CpuMicros, Run } from '../result.js';
import type { BenchService } from './bench-service.js';
import type { ClientsUsage } from './clients-questions.js';
import type { SenderUsage } from './sender-questions.js';

/** What everybody has used so far. */
export interface Snapshot {
  readonly atMs: number;
  readonly received: number;
  readonly senderMicros: number;
  readonly clientsMicros: number;
  /** Missing where there is no queue. */
  readonly queueMicros: number | undefined;
  /** Missing where the system does not say. */
  readonly nodesMicros: number | undefined;
  readonly edgesMicros: number | undefined;
}

/** Whether the system says what other processes use. */
export const seesProcesses = process.platform === 'linux';

export async function takeSnapshot(service: BenchService): Promise<Snapshot> {
  const [sender, clients, queue] = await Promise.all([
    service.sender.ask<SenderUsage>({ kind: 'usage' }),
    service.clients.ask<ClientsUsage>({ kind: 'usage' }),
    service.redis?.usage(),
  ]);
  const nodes = [...service.nodes.values()].map(({ program }) => program.pid);
  const edges = service.edges.map(({ pid }) => pid);
  return {
    atMs: performance.now(),
    received: clients.received,
    senderMicros: sender.cpuMicros,
    clientsMicros: clients.cpuMicros,
    queueMicros: queue?.cpuMicros,
    nodesMicros: seesProcesses ? sum(nodes.map(cpuMicrosOf)) : undefined,
    edgesMicros: seesProcesses && edges.length > 0 ? sum(edges.map(cpuMicrosOf)) : undefined,
  };
}

/** CPU time for each message that came in between; missing where a part of it is not known. */
export function cpuBetween(before: Snapshot, after: Snapshot): CpuMicros | undefined {
  const deliveries = after.received - before.received;
  const each = (name: 'senderMicros' | 'queueMicros' | 'nodesMicros' | 'edgesMicros'): number | undefined => {
    const [from, to] = [before[name], after[name]];
    return from === undefined || to === undefined ? undefined : (to - from) / deliveries;
  };
  const [sender, queue, nodes, edges] = [
    each('senderMicros'),
    each('queueMicros'),
    each('nodesMicros'),
    each('edgesMicros'),
  ];
  if (deliveries <= 0 || sender === undefined || nodes === undefined) return undefined;
  return {
    total: sender + (queue ?? 0) + nodes + (edges ?? 0),
    sender,
    nodes,
    ...(queue === undefined ? {} : { queue }),
    ...(edges === undefined ? {} : { edges }),
  };
}

export async function memoryUsed(service: BenchService): Promise<Run['memoryBytes']> {
  if (!seesProcesses) return undefined;
  const { memoryBytes } = await service.sender.ask<SenderUsage>({ kind: 'usage' });
  const queue = await service.redis?.usage();
  const nodes = [...service.nodes.values()].map(({ program }) => memoryOf(program.pid).residentKb * 1024);
  return {
    sender: memoryBytes,
    nodes: sum(nodes),
    ...(queue === undefined ? {} : { queue: queue.memoryBytes }),
  };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
