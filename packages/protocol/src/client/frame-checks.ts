import { maxU32 } from '../field-bounds.js';
import { maxMessageBytes } from '../message.js';
import { PinwheelError } from '../pinwheel-error.js';

/** @param frame whose and which, as an error names it. */
export function brokenFrame(frame: string, what: string): PinwheelError {
  return new PinwheelError('protocol', `${frame}: ${what}`);
}

export function checkLength(frame: string, bytes: Uint8Array, least: number, most = Infinity): void {
  if (bytes.length < least) {
    throw brokenFrame(frame, `it has ${bytes.length} bytes; it must have at least ${least}`);
  }
  if (bytes.length > most) throw brokenFrame(frame, `${bytes.length - most} bytes follow its last field`);
}

export function checkData(frame: string, bytes: number): void {
  if (bytes > maxMessageBytes) {
    throw brokenFrame(frame, `data has ${bytes} bytes; it must have at most ${maxMessageBytes}`);
  }
}

/** The number itself. */
export function checkNumber(frame: string, field: string, value: number, most = maxU32): number {
  if (Number.isInteger(value) && value >= 0 && value <= most) return value;
  throw brokenFrame(frame, `${field} is ${value}; it must be a whole number from 0 to ${most}`);
}
