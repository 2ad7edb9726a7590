/** Every message of the benches is text of this many bytes, its number first. */
export const messageBytes = 128;
/** Numbers are below this. */
export const maxMessages = 2 ** 24;

const digits = 8;
const first = 10 ** (digits - 1);
const filler = '.'.repeat(messageBytes - digits);

export function numberedMessage(number: number): string {
  return `${first + number}${filler}`;
}

/** @throws RangeError for what is not such a message: no message may be counted as another one. */
export function numberOf(bytes: Buffer, from: number, to: number): number {
  let number = 0;
  for (let i = from; i < from + digits; i++) number = number * 10 + bytes[i]! - 0x30;
  number -= first;
  if (to - from === messageBytes && number >= 0 && number < maxMessages) return number;
  throw new RangeError(`not a message of this bench: ${bytes.toString('latin1', from, to)}`);
}
