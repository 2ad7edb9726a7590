import { performance } from 'node:perf_hooks';
import { Receipts } from '@pinwheel/protocol';
import { type BroadcastStrategy, type Posted, topics } from '@pinwheel/strategy';
import type { Outcome } from './batch-answer.js';
import type { Pending } from './pending.js';
import { detailOf, failureOfAll } from './post-outcomes.js';
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

  protected async outcomeOf(batch: readonly Pending[], deadlineMs: number): Promise<Outcome> {
    const { maxMessagesPerPost = batch.length } = this.strategy;
    const posts = [];
    const counts = [];
    for (let i = 0; i < batch.length; i += maxMessagesPerPost) {
      const messages = batch.slice(i, i + maxMessagesPerPost);
      const bytes = this.#writers.write(messages);
      counts.push(messages.length);
      this.traffic.bytes += bytes.length;
      posts.push({ topic: this.#topic, bytes });
    }
    this.traffic.copies += batch.length;
    const start = performance.now();
    const posted = await this.publish(posts, counts, deadlineMs);
    this.observe((performance.now() - start) / 1000);
    this.#writers.release(posted.every(({ kind }) => kind === 'taken'));
    return this.#outcome(posted, batch.length, maxMessagesPerPost);
  }

  #outcome(posted: readonly Posted[], length: number, perPost: number): Outcome {
    const failed = failureOfAll(posted);
    if (failed !== undefined) return failed;
    const receipts = new Receipts(length);
    for (let i = 0; i < length; i++) {
      const end = posted[Math.floor(i / perPost)]!;
      if (end.kind === 'failed') receipts.set(i, 'overloaded', 0, detailOf(end.error));
      else if (end.receivers === 0) {
        const message = nobodyListens(this.strategy.queue, this.#topic);
        receipts.set(i, 'overloaded', 0, { error: { code: 'unavailable', message } });
      } else receipts.set(i, 'published');
    }
    return { kind: 'answered', receipts, foreignUsers: 0, fingerprint: '', turn: 0 };
  }
}
