import type { BenchService } from './bench-service.js';
import type { SenderUsage } from './sender-questions.js';

/** Payload copies that have crossed a process boundary between sender and nodes, as the processes count them. */
export interface Traffic {
  readonly copies: number;
  readonly bytes: number;
}

/** A copy is counted once: as it leaves the sender, as it comes out of the queue, as one node passes it to another. */
const copyMetrics = ['pinwheel_node_queue_copies_total', 'pinwheel_node_forwarded_total'];
const byteMetrics = ['pinwheel_node_queue_bytes_total', 'pinwheel_node_forwarded_bytes_total'];

export async function trafficSoFar(service: BenchService): Promise<Traffic> {
  const sender = await service.sender.ask<SenderUsage>({ kind: 'usage' });
  const texts = await Promise.all(
    [...service.nodes.values()].map(async ({ member }) => {
      const answer = await fetch(`http://127.0.0.1:${member.port}/metrics`);
      return answer.text();
    }),
  );
  let { copies, bytes } = sender;
  for (const text of texts) {
    copies += sumOf(text, copyMetrics);
    bytes += sumOf(text, byteMetrics);
  }
  return { copies, bytes };
}

/** Over all labels. */
function sumOf(text: string, names: readonly string[]): number {
  let sum = 0;
  for (const line of text.split('\n')) {
    if (names.some((name) => line.startsWith(`${name} `) || line.startsWith(`${name}{`))) {
      sum += Number(line.slice(line.lastIndexOf(' ') + 1));
    }
  }
  return sum;
}
