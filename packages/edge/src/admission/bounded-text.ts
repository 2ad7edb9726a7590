import { Buffer } from 'node:buffer';
import { PinwheelError } from '@pinwheel/protocol';

/**
 * The whole body of an answer.
 *
 * @param what has it, for the error.
 * @throws PinwheelError (rejects) `too-large`.
 */
export async function boundedText(answer: Response, maxBytes: number, what: string): Promise<string> {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const part of answer.body ?? []) {
    bytes += part.length;
    if (bytes > maxBytes) throw new PinwheelError('too-large', `${what} has more than ${maxBytes} bytes`);
    parts.push(part);
  }
  return Buffer.concat(parts).toString();
}
