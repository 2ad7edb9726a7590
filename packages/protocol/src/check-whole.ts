import { PinwheelError } from './pinwheel-error.js';

/** @throws PinwheelError `bad-option` that names the option, the value and the bounds. */
export function checkWhole(name: string, value: number, least: number, most: number): void {
  if (Number.isInteger(value) && value >= least && value <= most) return;
  throw new PinwheelError(
    'bad-option',
    `${name} is ${value}; it must be a whole number between ${least} and ${most}`,
  );
}
