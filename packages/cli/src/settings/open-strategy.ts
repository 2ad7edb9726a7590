import { type OpenedStrategy, openStrategy, type StrategyName } from '@pinwheel/strategy';
import { given } from './given.js';
import { options } from './options.js';
import type { Settings } from './settings.js';

/** What every command takes that sends, or is sent to. */
export const strategyOptions = [
  options.strategy,
  options.redis,
  options.nats,
  options.queuePrefix,
  options.leaseMs,
];

/**
 * The strategy that the settings name; whoever opened it closes it.
 *
 * @throws PinwheelError `bad-option` that says what is missing.
 */
export function openNamedStrategy(settings: Settings): OpenedStrategy {
  return openStrategy({
    strategy: strategyName(settings),
    ...given('redis', settings.text(options.redis)),
    ...given('nats', settings.text(options.nats)),
    ...given('prefix', settings.text(options.queuePrefix)),
    ...given('leaseMs', settings.number(options.leaseMs)),
  });
}

export function strategyName(settings: Settings): StrategyName {
  return (settings.text(options.strategy) ?? 'ring') as StrategyName;
}
