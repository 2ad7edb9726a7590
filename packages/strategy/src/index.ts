export { natsQueue } from './nats-queue.js';
export { type OpenedStrategy, openStrategy, type StrategySettings } from './open-strategy.js';
export type { Post, Posted, Queue, QueueListener } from './queue.js';
export { redisQueue } from './redis-queue.js';
export { redisRoutes } from './redis-routes.js';
export { Registrar, type RegistrarOptions } from './registrar.js';
export type { Route, RouteChanges, Routes, UserRoute } from './routes.js';
export {
  type BroadcastStrategy,
  checkStrategy,
  defaultLeaseMs,
  everybodysTopic,
  isAnywhere,
  nodeName,
  type RegistryStrategy,
  type RingStrategy,
  ringStrategy,
  type Strategy,
  type StrategyName,
  strategyNames,
  topics,
  whyNoWait,
} from './strategy.js';
