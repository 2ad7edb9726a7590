import { Buffer } from 'node:buffer';
import { everybodyFrame, PinwheelError } from '@pinwheel/protocol';
import type { Queue } from '@pinwheel/strategy';
import type { BroadcastReceipt } from './broadcast.js';
import type { Traffic } from './traffic.js';

/**
 * Posts what is for everybody where every node listens.
 *
 * @param traffic where it is counted.
 * @throws PinwheelError (rejects) what the queue says, and `unavailable` when nobody listens.
 */
export async function postToEverybody(
  { queue, topic }: { readonly queue: Queue; readonly topic: string },
  data: string | Uint8Array,
  binary: boolean,
  deadlineMs: number,
  traffic: Traffic,
): Promise<BroadcastReceipt> {
  const bytes = everybodyFrame(typeof data === 'string' ? Buffer.from(data) : data, binary);
  traffic.copies++;
  traffic.bytes += bytes.length;
  const [posted] = await queue.publish([{ topic, bytes }], deadlineMs);
  if (posted!.kind === 'failed') throw posted!.error;
  const { receivers } = posted!;
  if (receivers === 0) throw new PinwheelError('unavailable', nobodyListens(queue, topic));
  return receivers === undefined ? {} : { nodes: receivers };
}

export function nobodyListens({ description }: Queue, topic: string): string {
  return `no node listens to ${topic} on ${description}; do they run with this strategy, queue and prefix?`;
}
