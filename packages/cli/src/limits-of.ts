import type { EdgeOptions } from '@pinwheel/edge';
import { given } from './given.js';
import { limitOptions } from './limit-options.js';
import type { Settings } from './settings.js';

/** How much an edge takes, from all clients together and from each. */
export function limitsOf(settings: Settings): Partial<EdgeOptions> {
  return {
    ...given('maxConnections', settings.number(limitOptions.maxConnections)),
    ...given('maxConnectionsPerUser', settings.number(limitOptions.maxConnectionsPerUser)),
    ...given('maxConnectionsPerAddress', settings.number(limitOptions.maxConnectionsPerAddress)),
    ...given('trustedProxies', settings.texts(limitOptions.trustedProxies)),
    ...given('connectsPerSecond', settings.number(limitOptions.connectsPerSecond)),
    ...given('messagesPerSecond', settings.number(limitOptions.messagesPerSecond)),
    ...given('bytesPerSecond', settings.number(limitOptions.bytesPerSecond)),
    ...given('messagesPerSecondPerUser', settings.number(limitOptions.messagesPerSecondPerUser)),
    ...given('bytesPerSecondPerUser', settings.number(limitOptions.bytesPerSecondPerUser)),
    ...given('maxRssBytes', settings.number(limitOptions.maxRssBytes)),
    ...given('headTimeoutMs', settings.number(limitOptions.headTimeoutMs)),
    ...given('maxHeadBytes', settings.number(limitOptions.maxHeadBytes)),
  };
}
