import { BlockList, isIP } from 'node:net';
import { PinwheelError } from '@pinwheel/protocol';

const widest = { 4: 32, 6: 128 } as const;

/**
 * The networks that requests are passed on from, as a list that can be asked; `undefined` for none.
 *
 * @throws PinwheelError `bad-option` for one that is neither an address nor a network in CIDR form.
 */
export function proxyList(networks: readonly string[]): BlockList | undefined {
  if (networks.length === 0) return undefined;
  const list = new BlockList();
  for (const network of networks) add(list, network);
  return list;
}

function add(list: BlockList, network: string): void {
  const [address = '', prefix, ...more] = network.split('/');
  const family = isIP(address);
  if ((family === 4 || family === 6) && more.length === 0) {
    const bits = prefix === undefined ? widest[family] : /^\d{1,3}$/.test(prefix) ? Number(prefix) : -1;
    if (bits >= 0 && bits <= widest[family]) {
      list.addSubnet(address, bits, `ipv${family}`);
      return;
    }
  }
  throw new PinwheelError(
    'bad-option',
    `trustedProxies has ${JSON.stringify(network)}; each must be an address or a network, as 10.0.0.0/8 or fd00::/8`,
  );
}
