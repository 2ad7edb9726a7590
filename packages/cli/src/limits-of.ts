import type { EdgeOptions } from '@pinwheel/edge';
import { given } from './given.js';
import { options } from './options.js';
import type { Settings } from './settings.js';

/** The options of an edge that say how much it takes. */
export const limitOptions = [
  options.maxConnections,
  options.maxConnectionsPerUser,
  options.maxConnectionsPerAddress,
  options.trustedProxies,
  options.connectsPerSecond,
  options.messagesPerSecond,
  options.bytesPerSecond,
  options.messagesPerSecondPerUser,
  options.bytesPerSecondPerUser,
  options.maxRssBytes,
  options.headTimeoutMs,
] as const;

/** How much an edge takes, from all clients together and from each. */
export function limitsOf(settings: Settings): Partial<EdgeOptions> {
  return {
    ...given('maxConnections', settings.number(options.maxConnections)),
    ...given('maxConnectionsPerUser', settings.number(options.maxConnectionsPerUser)),
    ...given('maxConnectionsPerAddress', settings.number(options.maxConnectionsPerAddress)),
    ...given('trustedProxies', settings.texts(options.trustedProxies)),
    ...given('connectsPerSecond', settings.number(options.connectsPerSecond)),
    ...given('messagesPerSecond', settings.number(options.messagesPerSecond)),
    ...given('bytesPerSecond', settings.number(options.bytesPerSecond)),
    ...given('messagesPerSecondPerUser', settings.number(options.messagesPerSecondPerUser)),
    ...given('bytesPerSecondPerUser', settings.number(options.bytesPerSecondPerUser)),
    ...given('maxRssBytes', settings.number(options.maxRssBytes)),
    ...given('headTimeoutMs', settings.number(options.headTimeoutMs)),
  };
}
