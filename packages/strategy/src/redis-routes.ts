import { PinwheelError } from '@pinwheel/protocol';
import type { Redis, Result } from 'ioredis';
import { RedisConnection } from './redis-connection.js';
import type { Route, RouteChanges, Routes, UserRoute } from './routes.js';

/**
 * A user's routes are a sorted set, each scored with the end of its lease by Redis' own clock; the whole set goes with
 * the last of them.
 *
 * KEYS: users who are here, then users who are gone. ARGV: where · lease in ms · how many of the keys are here.
 */
const writeScript = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local here = tonumber(ARGV[3])
for i, key in ipairs(KEYS) do
  if i <= here then
    redis.call('ZADD', key, now + ARGV[2], ARGV[1])
    redis.call('ZREMRANGEBYSCORE', key, '-inf', now)
    redis.call('PEXPIREAT', key, redis.call('ZRANGE', key, -1, -1, 'WITHSCORES')[2])
  else
    redis.call('ZREM', key, ARGV[1])
  end
end`;

/** KEYS: users. Returns for each a list of where and the end of the lease, in turn. */
const readScript = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local found = {}
for i, key in ipairs(KEYS) do
  found[i] = redis.call('ZRANGEBYSCORE', key, '(' .. now, '+inf', 'WITHSCORES')
end
return found`;

/** KEYS: users. ARGV: where, then the end of each user's lease as it was read. */
const removeScript = `
for i, key in ipairs(KEYS) do
  if redis.call('ZSCORE', key, ARGV[1]) == ARGV[i + 1] then redis.call('ZREM', key, ARGV[1]) end
end`;

declare module 'ioredis' {
  interface RedisCommander<Context> {
    pinwheelWriteRoutes(count: number, ...words: (string | number)[]): Result<null, Context>;
    pinwheelRemoveRoutes(count: number, ...words: (string | number)[]): Result<null, Context>;
    pinwheelReadRoutes(count: number, ...keys: string[]): Result<string[][], Context>;
  }
}

/**
 * Routes in a Redis. Connects when it is first used. All users' routes must be on one Redis: scripts touch many keys.
 *
 * @param prefix of its keys: `{prefix}.route.{user}`.
 */
export function redisRoutes(url: string, prefix: string): Routes {
  return new RedisRoutes(url, prefix);
}

class RedisRoutes implements Routes {
  readonly description: string;
  readonly #prefix: string;
  readonly #connection: RedisConnection;
  #isClosed = false;

  constructor(url: string, prefix: string) {
    this.#prefix = `${prefix}.route.`;
    this.#connection = new RedisConnection(url, 'pinwheel-routes', (redis) => {
      redis.defineCommand('pinwheelWriteRoutes', { lua: writeScript });
      redis.defineCommand('pinwheelRemoveRoutes', { lua: removeScript });
      redis.defineCommand('pinwheelReadRoutes', { lua: readScript });
    });
    this.description = this.#connection.description;
  }

  async write(
    where: string,
    { here, gone }: RouteChanges,
    leaseMs: number,
    deadlineMs: number,
  ): Promise<void> {
    const keys = [...here, ...gone].map((user) => this.#prefix + user);
    await this.#call(deadlineMs, 'to write routes', (redis) =>
      redis.pinwheelWriteRoutes(keys.length, ...keys, where, leaseMs, here.length),
    );
  }

  async read(users: readonly string[], deadlineMs: number): Promise<readonly (readonly Route[])[]> {
    const keys = users.map((user) => this.#prefix + user);
    const found = await this.#call(deadlineMs, 'to read routes', (redis) =>
      redis.pinwheelReadRoutes(keys.length, ...keys),
    );
    return found.map(routesIn);
  }

  async remove(where: string, routes: readonly UserRoute[], deadlineMs: number): Promise<void> {
    const keys = routes.map(({ user }) => this.#prefix + user);
    const leases = routes.map(({ lease }) => lease);
    await this.#call(deadlineMs, 'to remove routes', (redis) =>
      redis.pinwheelRemoveRoutes(keys.length, ...keys, where, ...leases),
    );
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#connection.close();
  }

  async #call<T>(deadlineMs: number, what: string, send: (redis: Redis) => Promise<T>): Promise<T> {
    if (this.#isClosed) throw new PinwheelError('closed', `the routes on ${this.description} are closed`);
    return this.#connection.call(deadlineMs, what, send);
  }
}

function routesIn(words: readonly string[]): readonly Route[] {
  const routes: Route[] = [];
  for (let i = 0; i < words.length; i += 2) routes.push({ where: words[i]!, lease: words[i + 1]! });
  return routes;
}
