import { PinwheelError, type Receipt } from '@pinwheel/protocol';
import {
  type BroadcastStrategy,
  everybodysTopic,
  type Post,
  type Posted,
  type RegistryStrategy,
  whyNoWait,
} from '@pinwheel/strategy';
import type { Ended } from './batch-answer.js';
import type { BroadcastReceipt } from './broadcast.js';
import type { Pending } from './pending.js';
import type { PostOutcome } from './post-outcomes.js';
import { postToEverybody } from './post-to-everybody.js';
import { noTraffic } from './traffic.js';
import type { Transport } from './transport.js';

/** Bytes of a post beside its messages, at most. */
const postHeadBytes = 64;

/** What the strategies have in common that post to a queue: there is always a place, and nobody answers. */
export abstract class QueueTransport<Strategy extends BroadcastStrategy | RegistryStrategy>
  implements Transport
{
  readonly traffic = noTraffic();
  readonly maxFlights = 1;
  readonly whyNoWait: string | undefined;
  protected readonly strategy: Strategy;
  /** Has every request's time, in seconds. */
  protected readonly observe: (seconds: number) => void;

  constructor(strategy: Strategy, observe: (seconds: number) => void) {
    this.strategy = strategy;
    this.observe = observe;
    this.whyNoWait = whyNoWait(strategy);
  }

  get maxBatchBytes(): number {
    return this.strategy.queue.maxPostBytes - postHeadBytes;
  }

  post(_place: string, batch: readonly Pending[], deadlineMs: number, ended: Ended<Pending>): void {
    void this.outcomesOf(batch, deadlineMs).then((outcomes) => {
      for (const { messages, outcome } of outcomes) ended(messages, outcome);
    });
  }

  /**
   * Hands posts to the queue. Of several messages that are too large together nothing is wrong with any: the queue has
   * said since how much it takes, so they go again, in smaller posts.
   *
   * @param messages of each post.
   */
  protected async publish(
    posts: readonly Post[],
    messages: readonly { readonly length: number }[],
    deadlineMs: number,
  ): Promise<readonly Posted[]> {
    const posted = await this.strategy.queue.publish(posts, deadlineMs);
    return posted.map((end, i) => {
      if (end.kind === 'taken' || end.error.code !== 'too-large' || messages[i]!.length === 1) return end;
      return { kind: 'failed', error: new PinwheelError('unavailable', end.error.message) };
    });
  }

  /** Of each message of the batch once. Never rejects. */
  protected abstract outcomesOf(
    batch: readonly Pending[],
    deadlineMs: number,
  ): Promise<readonly PostOutcome[]>;

  async start(): Promise<void> {}

  /** All users' messages share batches: one place. */
  placeOf(): string {
    return this.strategy.name;
  }

  whyNowhere(): PinwheelError {
    return new PinwheelError('internal', `the place of the strategy ${this.strategy.name} is always there`);
  }

  async ask(): Promise<Receipt> {
    throw new PinwheelError('bad-request', `nobody can be asked: ${this.whyNoWait}`);
  }

  broadcast(data: string | Uint8Array, binary: boolean, deadlineMs: number): Promise<BroadcastReceipt> {
    const topic = everybodysTopic(this.strategy)!;
    return postToEverybody({ queue: this.strategy.queue, topic }, data, binary, deadlineMs, this.traffic);
  }

  refresh(): void {}

  async close(): Promise<void> {}
}
