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
