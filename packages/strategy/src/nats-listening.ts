import { Buffer } from 'node:buffer';
import type { NatsConnection, Subscription } from '@nats-io/transport-node';
import { withinDeadline } from '@pinwheel/membership';
import { PinwheelError } from '@pinwheel/protocol';
import type { QueueListener } from './queue.js';
import { RetryLater } from './retry-later.js';

const againDeadlineMs = 5000;

/**
 * One listener and its topics. A subscription that a server refuses its client forgets: it is made again, time after
 * time, and until it is there the listener is away.
 */
export class NatsListening {
  readonly #connection: NatsConnection;
  readonly #description: string;
  readonly #topics: readonly string[];
  readonly #listener: QueueListener;
  readonly #subscriptions = new Map<string, Subscription>();
  #refusal: Error | undefined;
  #isAway = false;
  #isEnded = false;
  readonly #again = new RetryLater(() => void this.back());

  constructor(
    connection: NatsConnection,
    description: string,
    topics: readonly string[],
    listener: QueueListener,
  ) {
    this.#connection = connection;
    this.#description = description;
    this.#topics = topics;
    this.#listener = listener;
  }

  /** @throws Error (rejects) what the server says when it refuses, PinwheelError `deadline`. */
  async subscribe(deadlineMs: number): Promise<void> {
    this.#refusal = undefined;
    for (const topic of this.#topics) {
      if (this.#subscriptions.get(topic)?.isClosed() === false) continue;
      const subscription = this.#connection.subscribe(topic, {
        callback: (error, { data }) => {
          if (error === null) this.#listener.message(Buffer.from(data.buffer, data.byteOffset, data.length));
          else this.#refusal = error;
        },
      });
      this.#subscriptions.set(topic, subscription);
    }
    await withinDeadline(this.#connection.flush(), deadlineMs, `${this.#description}: to subscribe`);
    // it comes before the answer to the flush
    if (this.#refusal !== undefined) throw this.#refusal;
  }

  /** The server does not let a topic be listened to, or not any more. */
  refused(topic: string, why: string): void {
    if (!this.#topics.includes(topic)) return;
    this.away(why);
    this.#tryLater();
  }

  /** Nothing is heard any more, by what is known. */
  away(why: string): void {
    if (this.#isAway || this.#isEnded) return;
    this.#isAway = true;
    this.#listener.away(new PinwheelError('unavailable', `${this.#description} is away: ${why}`));
  }

  /** Subscribes to what is not subscribed to, and says that it is back when all is; else it tries again later. */
  async back(): Promise<void> {
    this.#again.cancel();
    try {
      await this.subscribe(againDeadlineMs);
    } catch {
      this.#tryLater();
      return;
    } finally {
      if (this.#isEnded) this.end();
    }
    this.#again.wentWell();
    if (!this.#isAway || this.#isEnded) return;
    this.#isAway = false;
    this.#listener.back();
  }

  /** May be called twice. */
  end(): void {
    this.#isEnded = true;
    this.#again.cancel();
    for (const subscription of this.#subscriptions.values()) subscription.unsubscribe();
  }

  #tryLater(): void {
    if (!this.#isEnded) this.#again.failed();
  }
}
