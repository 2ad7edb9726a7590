import { BlockList, isIP } from 'node:net';
import type { PinwheelError } from '@pinwheel/protocol';

const pattern = /^([0-9A-Fa-f.:]{2,45})(?:\/(\d{1,3}))?$/;

/**
 * Networks as a list that can be asked: `10.0.0.0/8`, `fd00::/8`, or one address.
 *
 * @param refused what is thrown for a text that is none.
 */
export function networkList(
  networks: readonly string[],
  refused: (text: string) => PinwheelError,
): BlockList {
  const list = new BlockList();
  for (const text of networks) {
    const [, address = '', given] = pattern.exec(text) ?? [];
    const version = isIP(address);
    const most = version === 4 ? 32 : 128;
    const bits = given === undefined ? most : Number(given);
    if ((version !== 4 && version !== 6) || bits > most) throw refused(text);
    list.addSubnet(address, bits, `ipv${version}`);
  }
  return list;
}
