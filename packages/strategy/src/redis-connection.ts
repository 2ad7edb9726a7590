import { createRequire } from 'node:module';
import { performance } from 'node:perf_hooks';
import { backoffMs, withinDeadline } from '@pinwheel/membership';
import { PinwheelError } from '@pinwheel/protocol';
import type { Redis } from 'ioredis';

/** For what is loaded when it is first used: most processes never do, and it takes a fifth of their start. */
const load = createRequire(import.meta.url);

const reconnectWait = { firstMs: 50, longestMs: 2000 };
const connectTimeoutMs = 2000;
/** A connection on which something is awaited and nothing comes for so long is dead, in ms. */
const silentMs = 6000;

/**
 * A connection to a Redis, which it makes anew by itself whenever it is lost. A command is refused while there is none
 * and never sent a second time: what became of it is for the caller to find out.
 *
 * @param url `redis://[user:password@]host[:port][/database]`, or `rediss://` for TLS.
 */
export function openRedis(url: string, name: string): Redis {
  const ioredis = load('ioredis') as typeof import('ioredis');
  const redis = new ioredis.Redis(url, {
    connectionName: name,
    connectTimeout: connectTimeoutMs,
    socketTimeout: silentMs,
    retryStrategy: (failures) => Math.ceil(backoffMs(failures, reconnectWait)),
    // a replica that was the primary until now; what a script says of it has more words before
    reconnectOnError: ({ message }) => message.includes('READONLY'),
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    autoResubscribe: false,
    maxRetriesPerRequest: 0,
  });
  // whoever sends a command learns of it there, and whoever is subscribed by the end of the connection
  redis.on('error', () => {});
  return redis;
}

/** Without user and password: `redis 127.0.0.1:6379`. */
export function describeRedis(url: string): string {
  const { hostname, port } = new URL(url);
  return `redis ${hostname}:${port === '' ? 6379 : port}`;
}

/** A connection for commands, made when it is first used. */
export class RedisConnection {
  readonly description: string;
  readonly #url: string;
  readonly #name: string;
  readonly #prepare: (redis: Redis) => void;
  #redis: Redis | undefined;
  /** It is being made for the first time, and nothing is known of how that ends. */
  #isFirst = true;
  /** Why there is no connection, as far as that is known. */
  #lastError: Error | undefined;

  /** @param prepare is done with a connection before its first command. */
  constructor(url: string, name: string, prepare: (redis: Redis) => void = () => {}) {
    this.#url = url;
    this.#name = name;
    this.#prepare = prepare;
    this.description = describeRedis(url);
  }

  /**
   * Sends commands and waits for their answers. One that is late is late for its caller alone: others share the
   * connection, and a dead one is found out by its silence.
   *
   * @param what for the error: `to publish`.
   * @throws PinwheelError (rejects) `deadline`, or see {@link failureOf}.
   */
  async call<T>(deadlineMs: number, what: string, send: (redis: Redis) => Promise<T>): Promise<T> {
    const start = performance.now();
    const redis = this.#open();
    try {
      // the first calls must not fail only because they came before the connection
      if (this.#isFirst) await untilReady(redis, this.description, deadlineMs);
      const left = deadlineMs - (performance.now() - start);
      return await withinDeadline(send(redis), left, `${this.description}: ${what}`);
    } catch (thrown) {
      throw this.failureOf(thrown);
    }
  }

  /** What a command's failure says about whether Redis has taken it. */
  failureOf(thrown: unknown): PinwheelError {
    if (thrown instanceof PinwheelError) return thrown;
    const cause = thrown as Error;
    const redis = this.description;
    if (cause.message.startsWith("Stream isn't writeable")) {
      const why = this.#lastError === undefined ? '' : `: ${this.#lastError.message}`;
      return new PinwheelError('unreachable', `${redis} is away; it is being connected to again${why}`, {
        cause,
      });
    }
    if (cause.name === 'ReplyError') {
      return new PinwheelError('unavailable', `${redis} refused: ${cause.message}`, { cause });
    }
    // ioredis names an option of its own for what was under way
    const isLost = cause.name === 'MaxRetriesPerRequestError';
    const why = isLost ? (this.#lastError?.message ?? 'it was closed') : cause.message;
    return new PinwheelError('unknown-outcome', `the connection to ${redis} broke: ${why}`, { cause });
  }

  close(): void {
    this.#redis?.disconnect();
  }

  #open(): Redis {
    if (this.#redis !== undefined) return this.#redis;
    const redis = openRedis(this.#url, this.#name);
    redis.on('ready', () => {
      this.#isFirst = false;
      this.#lastError = undefined;
    });
    redis.on('error', (error) => {
      this.#isFirst = false;
      this.#lastError = error;
    });
    // each of the first calls waits for it
    redis.setMaxListeners(0);
    this.#prepare(redis);
    this.#redis = redis;
    return redis;
  }
}

/**
 * Resolves when there is a connection.
 *
 * @throws PinwheelError (rejects) `unreachable` when it cannot be made, or is not within `deadlineMs`.
 */
async function untilReady(redis: Redis, description: string, deadlineMs: number): Promise<void> {
  if (redis.status === 'ready') return;
  const why = await new Promise<string | undefined>((resolve) => {
    const ready = (): void => end(undefined);
    const failed = ({ message }: Error): void => end(`cannot be connected to: ${message}`);
    const timer = setTimeout(() => end(`did not answer within ${Math.round(deadlineMs)} ms`), deadlineMs);
    const end = (what: string | undefined): void => {
      clearTimeout(timer);
      redis.off('ready', ready);
      redis.off('error', failed);
      resolve(what);
    };
    redis.on('ready', ready);
    redis.on('error', failed);
  });
  if (why === undefined) return;
  throw new PinwheelError('unreachable', `${description} ${why}; is it running, and is the URL right?`);
}
