import { withinDeadline } from '@pinwheel/membership';
import { PinwheelError } from '@pinwheel/protocol';
import type { Redis } from 'ioredis';
import type { Post, Posted, Queue, QueueListener } from './queue.js';
import { openRedis, RedisConnection } from './redis-connection.js';
import { RetryLater } from './retry-later.js';

/** Far below Redis' own bound, 512 MiB, and above anything that is posted. */
const maxPostBytes = 33_554_432;
/** How often a subscriber that hears nothing asks whether Redis is still there, in ms. */
const pingMs = 2000;

/** Topics as channels of Redis pub/sub. Connects when it is first used. */
export function redisQueue(url: string): Queue {
  return new RedisQueue(url);
}

class RedisQueue implements Queue {
  readonly description: string;
  readonly maxPostBytes = maxPostBytes;
  readonly #url: string;
  readonly #subscriptions = new Set<Subscription>();
  readonly #publisher: RedisConnection;
  #isClosed = false;

  constructor(url: string) {
    this.#url = url;
    this.#publisher = new RedisConnection(url, 'pinwheel-publisher');
    this.description = this.#publisher.description;
  }

  async publish(posts: readonly Post[], deadlineMs: number): Promise<readonly Posted[]> {
    try {
      return await this.#publish(posts, deadlineMs);
    } catch (thrown) {
      const failed: Posted = { kind: 'failed', error: this.#publisher.failureOf(thrown) };
      return posts.map(() => failed);
    }
  }

  async subscribe(
    topics: readonly string[],
    listener: QueueListener,
    deadlineMs: number,
  ): Promise<() => Promise<void>> {
    if (this.#isClosed) throw this.#closed();
    const redis = openRedis(this.#url, 'pinwheel-subscriber');
    const subscription = new Subscription(redis, this.description, topics, listener);
    this.#subscriptions.add(subscription);
    const end = async (): Promise<void> => {
      this.#subscriptions.delete(subscription);
      subscription.end();
    };
    try {
      await withinDeadline(subscription.begun, deadlineMs, `${this.description}: to subscribe`);
      return end;
    } catch (thrown) {
      await end();
      const { message } = PinwheelError.from(subscription.lastError ?? thrown);
      const why = `${this.description} cannot be subscribed to: ${message}; is it running, and is the URL right?`;
      throw new PinwheelError('unavailable', why, { cause: thrown });
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#publisher.close();
    for (const subscription of this.#subscriptions) subscription.end();
    this.#subscriptions.clear();
  }

  async #publish(posts: readonly Post[], deadlineMs: number): Promise<readonly Posted[]> {
    if (this.#isClosed) throw this.#closed();
    const results = await this.#publisher.call(deadlineMs, 'to publish', (redis) => {
      const pipeline = redis.pipeline();
      for (const { topic, bytes } of posts) {
        pipeline.publish(topic, Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length));
      }
      return pipeline.exec();
    });
    return results!.map(([error, receivers]) => this.#posted(error, receivers));
  }

  #posted(error: Error | null, receivers: unknown): Posted {
    if (error === null) return { kind: 'taken', receivers: receivers as number };
    return { kind: 'failed', error: this.#publisher.failureOf(error) };
  }

  #closed(): PinwheelError {
    return new PinwheelError('closed', `the queue on ${this.description} is closed`);
  }
}

/** One connection that listens, from one loss of it to the next. */
class Subscription {
  readonly begun: Promise<void>;
  lastError: Error | undefined;
  readonly #redis: Redis;
  readonly #description: string;
  readonly #topics: readonly string[];
  readonly #listener: QueueListener;
  readonly #ping: NodeJS.Timeout;
  readonly #again = new RetryLater(() => {
    if (this.#redis.status === 'ready') void this.#subscribe();
  });
  #resolveBegun: () => void = () => {};
  #state: 'beginning' | 'listening' | 'away' | 'ended' = 'beginning';

  constructor(redis: Redis, description: string, topics: readonly string[], listener: QueueListener) {
    this.#redis = redis;
    this.#description = description;
    this.#topics = topics;
    this.#listener = listener;
    this.begun = new Promise((resolve) => {
      this.#resolveBegun = resolve;
    });
    redis.on('messageBuffer', (_topic: Buffer, bytes: Buffer) => {
      if (this.#state !== 'ended') listener.message(bytes);
    });
    redis.on('error', (error) => {
      this.lastError = error;
    });
    redis.on('ready', () => {
      this.#again.cancel();
      void this.#subscribe();
    });
    redis.on('close', () => this.#lost());
    // a connection that is silent is not told apart from a dead one otherwise
    this.#ping = setInterval(() => void redis.ping().catch(() => {}), pingMs).unref();
  }

  end(): void {
    this.#state = 'ended';
    this.#again.cancel();
    clearInterval(this.#ping);
    this.#redis.disconnect();
  }

  async #subscribe(): Promise<void> {
    try {
      await this.#redis.subscribe(...this.#topics);
    } catch (thrown) {
      this.lastError = thrown as Error;
      // refused, or the connection is lost: then it is subscribed again when there is another
      if (this.#state !== 'ended') this.#again.failed();
      return;
    }
    this.#again.wentWell();
    const before = this.#state;
    if (before === 'ended') return;
    this.#state = 'listening';
    this.lastError = undefined;
    if (before === 'beginning') this.#resolveBegun();
    else if (before === 'away') this.#listener.back();
  }

  #lost(): void {
    if (this.#state !== 'listening') return;
    this.#state = 'away';
    const why = this.lastError === undefined ? 'the connection has ended' : this.lastError.message;
    this.#listener.away(new PinwheelError('unavailable', `${this.#description} is away: ${why}`));
  }
}
