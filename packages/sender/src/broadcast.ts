import { Buffer } from 'node:buffer';
import type { RingState } from '@pinwheel/membership';
import { PinwheelError } from '@pinwheel/protocol';
import { notTaken } from './last-words.js';
import type { NodeClients } from './node-clients.js';
import { errorIn, refusalOf } from './node-pool.js';

export interface BroadcastReceipt {
  /** Nodes that took part. Missing when a queue took it that does not say how many listen. */
  readonly nodes?: number;
  /** Sessions that it was written to, on all of them. Missing when a queue took it: nobody answers. */
  readonly delivered?: number;
  /** Nodes that did not answer, with the reason. */
  readonly failed?: readonly { readonly node: string; readonly error: string }[];
}

/**
 * Asks one node, whichever, to send to every connected user through every node. One that nobody listens at, or that says
 * that it took nothing, is passed over.
 *
 * @param deadlineMs for all of them together.
 * @throws PinwheelError when no node took it; it may have reached some when the code is `unknown-outcome` or
 * `deadline`.
 */
export async function broadcastThrough(
  state: RingState,
  clients: NodeClients,
  data: string | Uint8Array,
  binary: boolean,
  deadlineMs: number,
): Promise<BroadcastReceipt> {
  const nodes = [...state.members.values()].filter((member) => member.kind === 'node' && !member.draining);
  const bytes = typeof data === 'string' ? Buffer.from(data) : data;
  const contentType = binary ? 'application/octet-stream' : 'text/plain';
  const end = performance.now() + deadlineMs;
  const first = Math.floor(Math.random() * nodes.length);
  let last: PinwheelError | undefined;
  for (const node of [...nodes.slice(first), ...nodes.slice(0, first)]) {
    const left = Math.floor(end - performance.now());
    if (left < 1 && last !== undefined) break;
    try {
      const call = { deadlineMs: Math.max(1, left), contentType };
      const client = clients.of(node);
      clients.traffic.copies++;
      clients.traffic.bytes += bytes.length;
      const { status, body } = await client.call('POST', '/v1/broadcast', call, bytes);
      return receiptOf(node.id, status, body);
    } catch (thrown) {
      last = PinwheelError.from(thrown);
      if (!notTaken.has(last.code)) throw last;
    }
  }
  throw last ?? new PinwheelError('unavailable', 'no node is there to broadcast through');
}

function receiptOf(node: string, status: number, body: string): BroadcastReceipt {
  // 202: the node has handed it to a queue
  if (status !== 200 && status !== 202) {
    const refusal = refusalOf(node, status, body);
    if (status !== 503 || errorIn(body) !== undefined) throw refusal;
    // of a proxy in between, which may have passed it on; it has no id, by which a second one would be known
    throw new PinwheelError('unknown-outcome', refusal.message);
  }
  try {
    return JSON.parse(body) as BroadcastReceipt;
  } catch (cause) {
    throw new PinwheelError('unknown-outcome', `node ${node} answered nonsense`, { cause });
  }
}
