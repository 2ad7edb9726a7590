/** Messages of the benches are text of this many bytes, unless another size is asked for; the number comes first. */
export const messageBytes = 128;
/** Room for the number. */
export const leastMessageBytes = 8;
/** Numbers are below this. */
export const maxMessages = 2 ** 24;

const first = 10 ** (leastMessageBytes - 1);
const fillers = new Map<number, string>();

/** @param bytes its size, at least {@link leastMessageBytes}. */
export function numberedMessage(number: number, bytes: number = messageBytes): string {
  let filler = fillers.get(bytes);
  if (filler === undefined) {
    filler = '.'.repeat(bytes - leastMessageBytes);
    fillers.set(bytes, filler);
  }
  return `${first + number}${filler}`;
}

/** @throws RangeError for what is not such a message: no message may be counted as another one. */
export function numberOf(bytes: Buffer, from: number, to: number, length: number = messageBytes): number {
  let number = 0;
  for (let i = from; i < from + leastMessageBytes; i++) number = number * 10 + bytes[i]! - 0x30;
  number -= first;
  if (to - from === length && number >= 0 && number < maxMessages) return number;
  throw new RangeError(`not a message of this bench: ${bytes.toString('latin1', from, to)}`);
}
