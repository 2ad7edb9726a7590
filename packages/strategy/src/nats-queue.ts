import { performance } from 'node:perf_hooks';
import type { NatsConnection } from '@nats-io/transport-node';
import { backoffMs } from '@pinwheel/membership';
import { PinwheelError } from '@pinwheel/protocol';
import type { Post, Posted, Queue, QueueListener } from './queue.js';
import { withinDeadline } from './within-deadline.js';

const reconnectWait = { firstMs: 50, longestMs: 2000 };
const pingIntervalMs = 2000;
const unansweredPings = 2;
/** Until the server has said its own. */
const usualMaxPayload = 1_048_576;

/** Topics as subjects of a NATS server. Connects when it is first used. */
export function natsQueue(url: string): Queue {
  return new NatsQueue(url);
}

interface Listening {
  readonly listener: QueueListener;
  isAway: boolean;
}

class NatsQueue implements Queue {
  readonly description: string;
  readonly #url: string;
  readonly #listening = new Set<Listening>();
  #connecting: Promise<NatsConnection> | undefined;
  #connection: NatsConnection | undefined;
  #isUp = false;
  #failures = 0;
  #isClosed = false;

  constructor(url: string) {
    const { hostname, port } = new URL(url);
    this.#url = url;
    this.description = `nats ${hostname}:${port === '' ? 4222 : port}`;
  }

  get maxPostBytes(): number {
    return this.#connection?.info?.max_payload ?? usualMaxPayload;
  }

  async publish(posts: readonly Post[], deadlineMs: number): Promise<readonly Posted[]> {
    const start = performance.now();
    try {
      const connection = await this.#connected(deadlineMs);
      // its client would keep what is published meanwhile, without a bound
      if (!this.#isUp) {
        const why = `${this.description} is away; it is being connected to again`;
        throw new PinwheelError('unreachable', why);
      }
      const posted = posts.map((post) => this.#post(connection, post));
      const left = deadlineMs - (performance.now() - start);
      // answered when the server has read everything before it; a connection that breaks answers nothing
      await withinDeadline(connection.flush(), left, `${this.description}: to publish`);
      return posted;
    } catch (thrown) {
      const failed: Posted = { kind: 'failed', error: this.#failureOf(thrown) };
      return posts.map(() => failed);
    }
  }

  async subscribe(
    topics: readonly string[],
    listener: QueueListener,
    deadlineMs: number,
  ): Promise<() => Promise<void>> {
    const start = performance.now();
    try {
      const connection = await this.#connected(deadlineMs);
      const subscriptions = topics.map((topic) =>
        connection.subscribe(topic, {
          callback: (error, { data }) => {
            if (error === null) listener.message(Buffer.from(data.buffer, data.byteOffset, data.length));
          },
        }),
      );
      const left = deadlineMs - (performance.now() - start);
      await withinDeadline(connection.flush(), left, `${this.description}: to subscribe`);
      const listening: Listening = { listener, isAway: false };
      this.#listening.add(listening);
      return async () => {
        this.#listening.delete(listening);
        for (const subscription of subscriptions) subscription.unsubscribe();
      };
    } catch (thrown) {
      const { message } = thrown as Error;
      const isNamed = message.startsWith(this.description);
      const why = isNamed ? message : `${this.description} cannot be subscribed to: ${message}`;
      throw new PinwheelError('unavailable', `${why}; is it running, and is the URL right?`, {
        cause: thrown,
      });
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#listening.clear();
    await this.#connection?.close();
  }

  #post(connection: NatsConnection, { topic, bytes }: Post): Posted {
    if (bytes.length > this.maxPostBytes) {
      const why = `a post has ${bytes.length} bytes; ${this.description} takes at most ${this.maxPostBytes}`;
      return { kind: 'failed', error: new PinwheelError('too-large', `${why} (its max_payload)`) };
    }
    connection.publish(topic, bytes);
    return { kind: 'taken', receivers: undefined };
  }

  #failureOf(thrown: unknown): PinwheelError {
    if (thrown instanceof PinwheelError) return thrown;
    const why = `the connection to ${this.description} broke: ${(thrown as Error).message}`;
    return new PinwheelError('unknown-outcome', why, { cause: thrown });
  }

  async #connected(deadlineMs: number): Promise<NatsConnection> {
    if (this.#isClosed) throw new PinwheelError('closed', `the queue on ${this.description} is closed`);
    if (this.#connection !== undefined) return this.#connection;
    this.#connecting ??= this.#connect();
    try {
      return await withinDeadline(this.#connecting, deadlineMs, 'to connect');
    } catch (thrown) {
      const { message } = thrown as Error;
      throw new PinwheelError('unreachable', `${this.description} cannot be connected to: ${message}`, {
        cause: thrown,
      });
    }
  }

  async #connect(): Promise<NatsConnection> {
    try {
      // most processes never use it
      const { connect } = await import('@nats-io/transport-node');
      const connection = await connect({
        servers: this.#url,
        name: 'pinwheel',
        reconnect: true,
        maxReconnectAttempts: -1,
        reconnectDelayHandler: () => Math.ceil(backoffMs(++this.#failures, reconnectWait)),
        pingInterval: pingIntervalMs,
        maxPingOut: unansweredPings,
        timeout: 2000,
      });
      if (this.#isClosed) await connection.close();
      this.#connection = connection;
      this.#isUp = true;
      void this.#follow(connection);
      return connection;
    } finally {
      // a first try that failed is made again by whoever asks next
      this.#connecting = undefined;
    }
  }

  async #follow(connection: NatsConnection): Promise<void> {
    for await (const status of connection.status()) {
      if (status.type === 'disconnect') this.#away(`the connection to ${status.server} has ended`);
      else if (status.type === 'staleConnection') this.#away('the server does not answer');
      else if (status.type === 'reconnect') await this.#back(connection);
    }
  }

  #away(why: string): void {
    this.#isUp = false;
    for (const listening of this.#listening) {
      if (listening.isAway) continue;
      listening.isAway = true;
      listening.listener.away(new PinwheelError('unavailable', `${this.description} is away: ${why}`));
    }
  }

  /** Subscriptions are made anew by its client, before whatever this flush asks about. */
  async #back(connection: NatsConnection): Promise<void> {
    try {
      await connection.flush();
    } catch {
      return;
    }
    this.#isUp = true;
    this.#failures = 0;
    for (const listening of this.#listening) {
      if (!listening.isAway) continue;
      listening.isAway = false;
      listening.listener.back();
    }
  }
}
