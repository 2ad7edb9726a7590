import { isIP } from 'node:net';
import { PinwheelError } from '@pinwheel/protocol';

/** A network: its address, and how many of its first bits count. */
export interface Network {
  readonly address: string;
  readonly bits: number;
  readonly version: 4 | 6;
}

const pattern = /^([0-9A-Fa-f.:]{2,45})(?:\/(\d{1,3}))?$/;

/**
 * Reads `10.0.0.0/8`, `fd00::/8`, or one address.
 *
 * @param option said in the error.
 * @throws PinwheelError `bad-option`.
 */
export function parseNetwork(text: string, option: string): Network {
  const [, address = '', given] = pattern.exec(text) ?? [];
  const version = isIP(address);
  const most = version === 4 ? 32 : 128;
  const bits = given === undefined ? most : Number(given);
  if ((version === 4 || version === 6) && bits <= most) return { address, bits, version };
  throw new PinwheelError(
    'bad-option',
    `${option} has ${JSON.stringify(text.slice(0, 80))}; it must be a network such as 10.0.0.0/8 or fd00::/8`,
  );
}
