import { performance } from 'node:perf_hooks';
import type { ConnectionOptions, NatsConnection, PermissionViolationError } from '@nats-io/transport-node';
import { backoffMs, withinDeadline } from '@pinwheel/membership';
import { PinwheelError } from '@pinwheel/protocol';
import { NatsListening } from './nats-listening.js';
import type { Post, Posted, Queue, QueueListener } from './queue.js';

const reconnectWait = { firstMs: 50, longestMs: 2000 };
const pingIntervalMs = 2000;
const unansweredPings = 2;
/** Until the server has said its own. */
const usualMaxPayload = 1_048_576;
/** Nodes that were restarted leave topics behind. */
const mostRefusals = 10_000;

/** Topics as subjects of a NATS server. Connects when it is first used. */
export function natsQueue(url: string): Queue {
  return new NatsQueue(url);
}

interface Refusal {
  /** Of the post that came last before it. */
  readonly number: number;
  readonly why: string;
}

class NatsQueue implements Queue {
  readonly description: string;
  readonly #login: ConnectionOptions;
  readonly #listening = new Set<NatsListening>();
  #connecting: Promise<NatsConnection> | undefined;
  #connection: NatsConnection | undefined;
  /** Topics at which nobody may post, as the server has said last. */
  readonly #refusals = new Map<string, Refusal>();
  #published = 0;
  #isUp = false;
  #failures = 0;
  #isClosed = false;

  constructor(url: string) {
    const { protocol, hostname, port, username, password } = new URL(url);
    const where = `${hostname}:${port === '' ? 4222 : port}`;
    // without it a server, or whoever stands in front of it, decides whether there is TLS
    const tls = protocol === 'tls:' ? { tls: {} } : {};
    this.#login = { servers: where, ...secretsIn(username, password), ...tls };
    this.description = `nats ${where}`;
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
      const number = ++this.#published;
      const posted = posts.map((post) => this.#post(connection, post));
      const left = deadlineMs - (performance.now() - start);
      // answered when the server has read everything before it; a connection that breaks answers nothing
      await withinDeadline(connection.flush(), left, `${this.description}: to publish`);
      // a refusal comes before that answer; what has been read is dealt with first
      await new Promise(setImmediate);
      return posted.map((end, i) => this.#judged(posts[i]!.topic, end, number));
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
    let listening: NatsListening | undefined;
    try {
      const connection = await this.#connected(deadlineMs);
      listening = new NatsListening(connection, this.description, topics, listener);
      await listening.subscribe(deadlineMs - (performance.now() - start));
      return this.#follows(listening);
    } catch (thrown) {
      listening?.end();
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
    for (const listening of this.#listening) listening.end();
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

  #judged(topic: string, end: Posted, number: number): Posted {
    const refusal = this.#refusals.get(topic);
    // one of an earlier post says nothing: the server may have been told otherwise since
    if (refusal === undefined || refusal.number < number) return end;
    const message = `${this.description} does not let anybody post there: ${refusal.why}`;
    return { kind: 'failed', error: new PinwheelError('unavailable', message) };
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
        ...this.#login,
        name: 'pinwheel',
        reconnect: true,
        maxReconnectAttempts: -1,
        // keys change on one side sooner than on the other
        ignoreAuthErrorAbort: true,
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
      else if (status.type === 'error') this.#refused(status.error);
    }
  }

  #refused(error: Error): void {
    const { operation, subject } = error as Partial<PermissionViolationError>;
    if (operation === 'publish' && subject !== undefined) {
      this.#refusals.delete(subject);
      this.#refusals.set(subject, { number: this.#published, why: error.message });
      const [eldest] = this.#refusals.keys();
      if (this.#refusals.size > mostRefusals) this.#refusals.delete(eldest!);
    } else if (operation === 'subscription' && subject !== undefined) {
      for (const listening of this.#listening) listening.refused(subject, error.message);
    }
  }

  #away(why: string): void {
    this.#isUp = false;
    for (const listening of this.#listening) listening.away(why);
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
    for (const listening of this.#listening) void listening.back();
  }

  #follows(listening: NatsListening): () => Promise<void> {
    this.#listening.add(listening);
    return async () => {
      this.#listening.delete(listening);
      listening.end();
    };
  }
}

/** Of a URL, which nats-core does not read them from; a name alone is a token. */
function secretsIn(username: string, password: string): Pick<ConnectionOptions, 'user' | 'pass' | 'token'> {
  if (username === '') return {};
  const name = decodeURIComponent(username);
  return password === '' ? { token: name } : { user: name, pass: decodeURIComponent(password) };
}
