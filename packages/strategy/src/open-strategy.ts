import { PinwheelError } from '@pinwheel/protocol';
import { natsQueue } from './nats-queue.js';
import type { Queue } from './queue.js';
import { redisQueue } from './redis-queue.js';
import { redisRoutes } from './redis-routes.js';
import type { Routes } from './routes.js';
import { checkStrategy, defaultPrefix, type Strategy, type StrategyName } from './strategy.js';

export interface StrategySettings {
  /** Default: `ring`. */
  readonly strategy?: StrategyName;
  /** `redis://[user:password@]host[:port][/database]`, or `rediss://`. */
  readonly redis?: string;
  /** `nats://[user:password@]host[:port]`, or `tls://`; a name without a password is a token. When both are given, it is the queue. */
  readonly nats?: string;
  /** What the topics and keys begin with; services on one server need different ones. Default: `pinwheel`. */
  readonly prefix?: string;
  readonly leaseMs?: number;
}

export interface OpenedStrategy {
  readonly strategy: Strategy;
  /** Ends the connections of its queue and routes. May be called twice. */
  close(): Promise<void>;
}

/**
 * A strategy with its connections, from settings. Nothing connects before it is used.
 *
 * @throws PinwheelError `bad-option` when what the strategy needs is missing.
 */
export function openStrategy(settings: StrategySettings): OpenedStrategy {
  const { strategy: name = 'ring', redis, prefix = defaultPrefix } = settings;
  const queue = queueOf(settings);
  const routes = name === 'registry' && redis !== undefined ? redisRoutes(redis, prefix) : undefined;
  return {
    strategy: checkStrategy(strategyOf(settings, name, queue, routes)),
    close: async () => {
      await Promise.all([queue?.close(), routes?.close()]);
    },
  };
}

function queueOf({ redis, nats }: StrategySettings): Queue | undefined {
  if (nats !== undefined) return natsQueue(nats);
  return redis === undefined ? undefined : redisQueue(redis);
}

function strategyOf(
  { prefix = defaultPrefix, leaseMs }: StrategySettings,
  name: StrategyName,
  queue: Queue | undefined,
  routes: Routes | undefined,
): Strategy {
  switch (name) {
    case 'ring':
      return queue === undefined ? { name, prefix } : { name, queue, prefix };
    case 'broadcast':
      if (queue === undefined) throw missing('broadcast needs a queue: give --redis URL or --nats URL');
      return { name, queue, prefix };
    case 'registry': {
      if (queue === undefined || routes === undefined) {
        throw missing('registry keeps its routes in a Redis: give --redis URL');
      }
      return { name, queue, routes, prefix, ...(leaseMs === undefined ? {} : { leaseMs }) };
    }
    default:
      throw missing(
        `strategy is ${JSON.stringify(name satisfies never)}; it must be ring, broadcast or registry`,
      );
  }
}

function missing(why: string): PinwheelError {
  return new PinwheelError('bad-option', why);
}
