import { PinwheelError } from '@pinwheel/protocol';

/** Both ends are in it. */
export interface PortRange {
  readonly least: number;
  readonly most: number;
}

/**
 * Reads `7001` or `7000-7999`.
 *
 * @param option said in the error.
 * @throws PinwheelError `bad-option`.
 */
export function parsePorts(text: string, option: string): PortRange {
  const [, first, last = first] = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(text) ?? [];
  const [least, most] = [Number(first), Number(last)];
  if (least >= 1 && least <= most && most <= 65_535) return { least, most };
  throw new PinwheelError(
    'bad-option',
    `${option} has ${JSON.stringify(text.slice(0, 80))}; it must be a port or a range such as 7000-7999, in 1-65535`,
  );
}
