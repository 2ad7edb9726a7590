import { Buffer } from 'node:buffer';
import { randomBytes } from 'node:crypto';

const maxReasonBytes = 123;

/**
 * A close frame as a server sends it (RFC 6455, section 5.5.1).
 *
 * @throws RangeError for a code outside 1000–4999 or a reason of more than 123 bytes.
 */
export function closeFrame(code: number, reason: string): Buffer {
  const bytes = Buffer.byteLength(reason);
  if (!Number.isInteger(code) || code < 1000 || code > 4999) {
    throw new RangeError(`close code is ${code}; it must be between 1000 and 4999`);
  }
  if (bytes > maxReasonBytes) {
    throw new RangeError(`close reason has ${bytes} bytes; it must have at most ${maxReasonBytes}`);
  }
  const frame = Buffer.allocUnsafe(4 + bytes);
  frame[0] = 0x88;
  frame[1] = 2 + bytes;
  frame.writeUInt16BE(code, 2);
  frame.write(reason, 4);
  return frame;
}

/** A close frame as a client sends it that goes away (1001), masked. */
export function farewellFrame(): Buffer {
  const mask = randomBytes(4);
  return Buffer.from([0x88, 0x82, ...mask, 0x03 ^ mask[0]!, 0xe9 ^ mask[1]!]);
}
