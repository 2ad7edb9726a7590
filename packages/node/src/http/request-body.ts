import { PinwheelError } from '@pinwheel/protocol';

export function tooLarge(bytes: number | string, maxBytes: number): PinwheelError {
  return new PinwheelError('too-large', `the body has ${bytes} bytes; it must have at most ${maxBytes}`);
}

/** A buffer of another size with what the first one had in its `used` bytes. */
export function grown(body: Buffer, used: number, size: number): Buffer {
  const larger = Buffer.allocUnsafeSlow(size);
  body.copy(larger, 0, 0, used);
  return larger;
}

/** Up to this a body that is too large is read to its end, for nothing. */
const mostPassedOverBytes = 16_777_216;

/**
 * Whether the answer ends the connection, as the rest of a body that is too large is not waited for. Who is still writing
 * it reads the answer behind it, if the connection is there by then.
 */
export function leavesRest(status: number, announced: number | undefined): boolean {
  return status === 413 && (announced === undefined || announced > mostPassedOverBytes);
}
