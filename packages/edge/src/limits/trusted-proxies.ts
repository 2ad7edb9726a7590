import type { BlockList } from 'node:net';
import { networkList } from '@pinwheel/membership';
import { PinwheelError } from '@pinwheel/protocol';

/**
 * The networks that requests are passed on from, as a list that can be asked; `undefined` for none.
 *
 * @throws PinwheelError `bad-option` for one that is neither an address nor a network in CIDR form.
 */
export function proxyList(networks: readonly string[]): BlockList | undefined {
  return networks.length === 0 ? undefined : networkList(networks, refused);
}

function refused(network: string): PinwheelError {
  const must = 'each must be an address or a network, as 10.0.0.0/8 or fd00::/8';
  return new PinwheelError('bad-option', `trustedProxies has ${JSON.stringify(network)}; ${must}`);
}
