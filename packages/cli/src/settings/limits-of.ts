import type { EdgeOptions } from '@pinwheel/edge';
import { given } from './given.js';
import { limitOptions } from './limit-options.js';
import type { Settings } from './settings.js';

/** How much whoever takes clients takes, from all of them together and from each. */
export function limitsOf(settings: Settings) {
  return {
    ...given('maxConnections', settings.number(limitOptions.maxConnections)),
    ...given('maxConnectionsPerUser', settings.number(limitOptions.maxConnectionsPerUser)),
    ...given('messagesPerSecond', settings.number(limitOptions.messagesPerSecond)),
    ...given('bytesPerSecond', settings.number(limitOptions.bytesPerSecond)),
    ...given('maxRssBytes', settings.number(limitOptions.maxRssBytes)),
    ...given('headTimeoutMs', settings.number(limitOptions.headTimeoutMs)),
    ...given('maxHeadBytes', settings.number(limitOptions.maxHeadBytes)),
  };
}

/** The same of an edge, which knows more of its clients. */
export function edgeLimitsOf(settings: Settings): Partial<EdgeOptions> {
  return {
    ...limitsOf(settings),
    ...given('maxConnectionsPerAddress', settings.number(limitOptions.maxConnectionsPerAddress)),
    ...given('trustedProxies', settings.texts(limitOptions.trustedProxies)),
    ...given('connectsPerSecond', settings.number(limitOptions.connectsPerSecond)),
    ...given('messagesPerSecondPerUser', settings.number(limitOptions.messagesPerSecondPerUser)),
    ...given('bytesPerSecondPerUser', settings.number(limitOptions.bytesPerSecondPerUser)),
  };
}
