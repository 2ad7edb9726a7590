import { PinwheelError } from '@pinwheel/protocol';
import type { Redis, Result } from 'ioredis';
import { RedisConnection } from './redis-connection.js';
import type { Route, RouteChanges, Routes, UserRoute } from './routes.js';

/** A key that holds something else, whoever has put it there, is left alone, and must not stop what is asked of the others. */
const isOther = `
local function failed(answer)
  return type(answer) == 'table' and answer.err ~= nil
end
local function isOther(answer)
  return failed(answer) and string.find(answer.err, 'WRONGTYPE', 1, true) ~= nil
end`;

/**
 * A user's routes are a sorted set, each scored with the end of its lease by Redis' own clock; the whole set goes with
 * the last of them.
 *
 * KEYS: users who are here, then users who are gone. ARGV: where · lease in ms · how many of the keys are here.
 * Returns the places of users who are here and whose keys hold something else.
 */
const writeScript = `${isOther}
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local here = tonumber(ARGV[3])
local others = {}
for i, key in ipairs(KEYS) do
  local answer
  if i <= here then
    answer = redis.pcall('ZADD', key, now + ARGV[2], ARGV[1])
  else
    answer = redis.pcall('ZREM', key, ARGV[1])
  end
  if isOther(answer) then
    if i <= here then others[#others + 1] = i end
  elseif failed(answer) then
    return answer
  elseif i <= here then
    redis.call('ZREMRANGEBYSCORE', key, '-inf', now)
    redis.call('PEXPIREAT', key, redis.call('ZRANGE', key, -1, -1, 'WITHSCORES')[2])
  end
end
return others`;

/** KEYS: users. Returns for each a list of where and the end of the lease, in turn; 0 where the key holds something else. */
const readScript = `${isOther}
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local found = {}
for i, key in ipairs(KEYS) do
  local answer = redis.pcall('ZRANGEBYSCORE', key, '(' .. now, '+inf', 'WITHSCORES')
  if isOther(answer) then
    found[i] = 0
  elseif failed(answer) then
    return answer
  else
    found[i] = answer
  end
end
return found`;

/** KEYS: users. ARGV: where, then the end of each user's lease as it was read. */
const removeScript = `
for i, key in ipairs(KEYS) do
  if redis.pcall('ZSCORE', key, ARGV[1]) == ARGV[i + 1] then redis.call('ZREM', key, ARGV[1]) end
end`;

declare module 'ioredis' {
  interface RedisCommander<Context> {
    pinwheelWriteRoutes(count: number, ...words: (string | number)[]): Result<number[], Context>;
    pinwheelRemoveRoutes(count: number, ...words: (string | number)[]): Result<null, Context>;
    pinwheelReadRoutes(count: number, ...keys: string[]): Result<(string[] | 0)[], Context>;
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
  ): Promise<readonly string[]> {
    const keys = [...here, ...gone].map((user) => this.#prefix + user);
    const others = await this.#call(deadlineMs, 'to write routes', (redis) =>
      redis.pinwheelWriteRoutes(keys.length, ...keys, where, leaseMs, here.length),
    );
    return others.map((place) => here[place - 1]!);
  }

  async read(
    users: readonly string[],
    deadlineMs: number,
  ): Promise<readonly (readonly Route[] | PinwheelError)[]> {
    const keys = users.map((user) => this.#prefix + user);
    const found = await this.#call(deadlineMs, 'to read routes', (redis) =>
      redis.pinwheelReadRoutes(keys.length, ...keys),
    );
    return found.map((words, i) => (words === 0 ? this.#notRoutes(keys[i]!) : routesIn(words)));
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

  #notRoutes(key: string): PinwheelError {
    const why = `the key ${JSON.stringify(key)} on ${this.description} holds something else than routes`;
    return new PinwheelError('unavailable', `${why}; delete it, or give the service another --queue-prefix`);
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
