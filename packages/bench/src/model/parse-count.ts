import { PinwheelError } from '@pinwheel/protocol';

const powers = { '': 0, k: 3, K: 3, M: 6, G: 9 } as const;
const pattern = /^(\d{1,16})(?:\.(\d{1,9}))?([kKMG]?)$/;

/**
 * A count as a command line has it: `50M` is 50,000,000; `2k`, `1.5M`, `3G`, `128`.
 *
 * @param thing what is counted, for the error: `--users`.
 * @throws PinwheelError `bad-option` that names the thing and the value when it is no whole number, or too large to be exact.
 */
export function parseCount(thing: string, value: string): number {
  const found = pattern.exec(value);
  if (found === null) throw refused(thing, value);
  const [, whole = '', decimals = '', unit = ''] = found;
  const power = powers[unit as keyof typeof powers];
  const digits = decimals.replace(/0+$/, '');
  if (digits.length > power) throw refused(thing, value);
  // shifted as text: 1.1 times a million is not 1,100,000 in binary
  const count = Number(`${whole}${digits}${'0'.repeat(power - digits.length)}`);
  if (!Number.isSafeInteger(count)) throw refused(thing, value);
  return count;
}

function refused(thing: string, value: string): PinwheelError {
  const accepted = 'it must be a whole number of at most 9007199254740991, such as 128, 2k, 1.5M or 3G';
  return new PinwheelError('bad-option', `${thing} is ${JSON.stringify(value.slice(0, 80))}; ${accepted}`);
}
