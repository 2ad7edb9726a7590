import { PinwheelError, type Receipt, Receipts } from '@pinwheel/protocol';
import { type BroadcastStrategy, type Posted, topics, whyNoWait } from '@pinwheel/strategy';
import type { BroadcastReceipt } from './broadcast.js';
import type { Outcome } from './node-client.js';
import type { Pending } from './pending.js';
import { detailOf, failureOfAll } from './post-outcomes.js';
import { nobodyListens, postToEverybody } from './post-to-everybody.js';
import { QueueWriters } from './queue-writers.js';
import { noTraffic } from './traffic.js';
import type { Transport } from './transport.js';

/** Bytes of a post beside its messages, at most. */
export const postHeadBytes = 64;

/** One topic that every node listens to: who has the user delivers, and nobody answers. */
export class BroadcastTransport implements Transport {
  readonly traffic = noTraffic();
  readonly whyNoWait: string | undefined;
  readonly #strategy: BroadcastStrategy;
  readonly #topic: string;
  readonly #writers = new QueueWriters();
  readonly #observe: (seconds: number) => void;

  constructor(strategy: BroadcastStrategy, observe: (seconds: number) => void) {
    this.#strategy = strategy;
    this.whyNoWait = whyNoWait(strategy);
    this.#topic = topics.broadcast(strategy);
    this.#observe = observe;
  }

  get maxBatchBytes(): number {
    return this.#strategy.queue.maxPostBytes - postHeadBytes;
  }

  async start(): Promise<void> {}

  /** All messages go to one place. */
  placeOf(): string {
    return this.#topic;
  }

  whyNowhere(): PinwheelError {
    return new PinwheelError('internal', 'a topic is always there');
  }

  async post(topic: string, batch: readonly Pending[], deadlineMs: number): Promise<Outcome> {
    const { queue, maxMessagesPerPost = batch.length } = this.#strategy;
    const posts = [];
    for (let i = 0; i < batch.length; i += maxMessagesPerPost) {
      const bytes = this.#writers.write(batch.slice(i, i + maxMessagesPerPost));
      this.traffic.bytes += bytes.length;
      posts.push({ topic, bytes });
    }
    this.traffic.copies += batch.length;
    const start = performance.now();
    const posted = await queue.publish(posts, deadlineMs);
    this.#observe((performance.now() - start) / 1000);
    this.#writers.release(posted.every(({ kind }) => kind === 'taken'));
    return this.#outcome(posted, batch.length, maxMessagesPerPost);
  }

  async ask(): Promise<Receipt> {
    throw new PinwheelError('bad-request', `nobody can be asked: ${this.whyNoWait}`);
  }

  broadcast(data: string | Uint8Array, binary: boolean, deadlineMs: number): Promise<BroadcastReceipt> {
    const { queue } = this.#strategy;
    return postToEverybody({ queue, topic: this.#topic }, data, binary, deadlineMs);
  }

  refresh(): void {}

  async close(): Promise<void> {}

  #outcome(posted: readonly Posted[], length: number, perPost: number): Outcome {
    const failed = failureOfAll(posted);
    if (failed !== undefined) return failed;
    const receipts = new Receipts(length);
    for (let i = 0; i < length; i++) {
      const end = posted[Math.floor(i / perPost)]!;
      if (end.kind === 'failed') receipts.set(i, 'overloaded', 0, detailOf(end.error));
      else if (end.receivers === 0) {
        const message = nobodyListens(this.#strategy.queue, this.#topic);
        receipts.set(i, 'overloaded', 0, { error: { code: 'unavailable', message } });
      } else receipts.set(i, 'published');
    }
    return { kind: 'answered', receipts, foreignUsers: 0, fingerprint: '' };
  }
}
