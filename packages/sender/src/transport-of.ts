import { everybodysTopic, type Strategy } from '@pinwheel/strategy';
import { BroadcastTransport } from './broadcast-transport.js';
import { RegistryTransport } from './registry-transport.js';
import { RingTransport } from './ring-transport.js';
import type { SenderOptions } from './sender-options.js';
import type { Transport } from './transport.js';

/** @param observe has every request's time, in seconds. */
export function transportOf(
  strategy: Strategy,
  source: SenderOptions,
  observe: (seconds: number) => void,
): Transport {
  switch (strategy.name) {
    case 'ring': {
      const topic = everybodysTopic(strategy);
      const everybody = topic === undefined ? undefined : { queue: strategy.queue!, topic };
      return new RingTransport({ source, everybody, observe });
    }
    case 'broadcast':
      return new BroadcastTransport(strategy, observe);
    case 'registry':
      return new RegistryTransport(strategy, observe);
    default:
      throw new TypeError(`unknown strategy ${strategy satisfies never}`);
  }
}
