import { performance } from 'node:perf_hooks';
import { PinwheelError } from '@pinwheel/protocol';
import { type BroadcastStrategy, type Posted, topics } from '@pinwheel/strategy';
import type { Pending } from './pending.js';
import { detailOf, failed, type PostOutcome, told } from './post-outcomes.js';
import { nobodyListens } from './post-to-everybody.js';
import { QueueTransport } from './queue-transport.js';
import { QueueWriters } from './queue-writers.js';

/** One topic that every node listens to: who has the user delivers, and nobody answers. */
export class BroadcastTransport extends QueueTransport<BroadcastStrategy> {
  readonly #topic: string;
  readonly #writers = new QueueWriters();

  constructor(strategy: BroadcastStrategy, observe: (seconds: number) => void) {
    super(strategy, observe);
    this.#topic = topics.broadcast(strategy);
  }

  protected async outcomesOf(batch: readonly Pending[], deadlineMs: number): Promise<readonly PostOutcome[]> {
    const { maxMessagesPerPost = batch.length } = this.strategy;
    const posts = [];
    const parts: (readonly Pending[])[] = [];
    for (let i = 0; i < batch.length; i += maxMessagesPerPost) {
      const messages = batch.slice(i, i + maxMessagesPerPost);
      const bytes = this.#writers.write(messages);
      parts.push(messages);
      this.traffic.bytes += bytes.length;
      posts.push({ topic: this.#topic, bytes });
    }
    this.traffic.copies += batch.length;
    const start = performance.now();
    const posted = await this.publish(posts, parts, deadlineMs);
    this.observe((performance.now() - start) / 1000);
    this.#writers.release(posted.every(({ kind }) => kind === 'taken'));
    return parts.map((messages, i) => this.#outcome(messages, posted[i]!));
  }

  #outcome(messages: readonly Pending[], end: Posted): PostOutcome {
    if (end.kind === 'failed') return failed(messages, end.error);
    if (end.receivers !== 0) return told(messages, (receipts, i) => receipts.set(i, 'published'));
    const why = detailOf(new PinwheelError('unavailable', nobodyListens(this.strategy.queue, this.#topic)));
    return told(messages, (receipts, i) => receipts.set(i, 'overloaded', 0, why));
  }
}
