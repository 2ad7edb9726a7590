import { performance } from 'node:perf_hooks';
import type { ConnectionOptions, NatsConnection, PermissionViolationError } from '@nats-io/transport-node';
import { backoffMs } from '@pinwheel/membership';
import { PinwheelError } from '@pinwheel/protocol';
import type { Post, Posted, Queue, QueueListener } from './queue.js';
import { withinDeadline } from './within-deadline.js';

const reconnectWait = { firstMs: 50, longestMs: 2000 };
const pingIntervalMs = 2000;
const unansweredPings = 2;
/** Until the server has said its own. */
const usualMaxPayload = 1_048_576;
/** Nodes that were restarted leave topics behind. */
const mostVerdicts = 10_000;

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
  readonly #login: ConnectionOptions;
  readonly #listening = new Set<Listening>();
  #connecting: Promise<NatsConnection> | undefined;
  #connection: NatsConnection | undefined;
  /** Topics at which something was posted, and why that may not be; `undefined` where it may. */
  readonly #verdicts = new Map<string, string | undefined>();
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
      const posted = posts.map((post) => this.#post(connection, post));
      const left = deadlineMs - (performance.now() - start);
      // answered when the server has read everything before it; a connection that breaks answers nothing
      await withinDeadline(connection.flush(), left, `${this.description}: to publish`);
      return await this.#judged(posts, posted);
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
      let refused: Error | undefined;
      const subscriptions = topics.map((topic) =>
        connection.subscribe(topic, {
          callback: (error, { data }) => {
            if (error === null) listener.message(Buffer.from(data.buffer, data.byteOffset, data.length));
            else refused = error;
          },
        }),
      );
      const left = deadlineMs - (performance.now() - start);
      await withinDeadline(connection.flush(), left, `${this.description}: to subscribe`);
      // it comes before the answer to the flush
      if (refused !== undefined) throw refused;
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

  /** The server says that something may not be posted before it answers the flush behind it, and only then is it known. */
  async #judged(posts: readonly Post[], posted: readonly Posted[]): Promise<readonly Posted[]> {
    if (posts.some(({ topic }) => !this.#verdicts.has(topic))) {
      // what has been read is dealt with first
      await new Promise(setImmediate);
      for (const { topic } of posts) if (!this.#verdicts.has(topic)) this.#note(topic, undefined);
    }
    return posted.map((end, i) => {
      const why = this.#verdicts.get(posts[i]!.topic);
      if (why === undefined) return end;
      const message = `${this.description} does not let anybody post there: ${why}`;
      return { kind: 'failed', error: new PinwheelError('unavailable', message) };
    });
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
    if (operation === 'publish' && subject !== undefined) this.#note(subject, error.message);
    else if (operation === 'subscription') this.#nobodyHears(error.message);
  }

  #note(topic: string, why: string | undefined): void {
    this.#verdicts.set(topic, why);
    const [eldest] = this.#verdicts.keys();
    if (this.#verdicts.size > mostVerdicts) this.#verdicts.delete(eldest!);
  }

  #away(why: string): void {
    this.#isUp = false;
    this.#nobodyHears(why);
  }

  #nobodyHears(why: string): void {
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
    // whoever it is now may be allowed other things
    this.#verdicts.clear();
    for (const listening of this.#listening) {
      if (!listening.isAway) continue;
      listening.isAway = false;
      listening.listener.back();
    }
  }
}

/** Of a URL, which nats-core does not read them from; a name alone is a token. */
function secretsIn(username: string, password: string): Pick<ConnectionOptions, 'user' | 'pass' | 'token'> {
  if (username === '') return {};
  const name = decodeURIComponent(username);
  return password === '' ? { token: name } : { user: name, pass: decodeURIComponent(password) };
}
