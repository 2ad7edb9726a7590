import type { RingState } from '@pinwheel/membership';
import { PinwheelError } from '@pinwheel/protocol';
import type { NodeClients } from './node-clients.js';

export interface BroadcastReceipt {
  /** Nodes that took part. */
  readonly nodes: number;
  /** Sessions that it was written to, on all of them. */
  readonly delivered: number;
  /** Nodes that did not answer, with the reason. */
  readonly failed?: readonly { readonly node: string; readonly error: string }[];
}

/**
 * Asks one node, whichever, to send to every connected user through every node.
 *
 * @throws PinwheelError when no node took it; it may have reached some when the code is `unknown-outcome`.
 */
export async function broadcastThrough(
  state: RingState,
  clients: NodeClients,
  data: string | Uint8Array,
  binary: boolean,
  deadlineMs: number,
): Promise<BroadcastReceipt> {
  const nodes = [...state.members.values()].filter((member) => member.kind === 'node' && !member.draining);
  if (nodes.length === 0) throw new PinwheelError('unavailable', 'no node is there to broadcast through');
  const node = nodes[Math.floor(Math.random() * nodes.length)]!;
  const contentType = binary ? 'application/octet-stream' : 'text/plain';
  const { status, body } = await clients
    .of(node)
    .call('POST', '/v1/broadcast', { deadlineMs, contentType }, data);
  if (status !== 200)
    throw new PinwheelError('unavailable', `node ${node.id} answered ${status}: ${body.slice(0, 200)}`);
  return JSON.parse(body) as BroadcastReceipt;
}
