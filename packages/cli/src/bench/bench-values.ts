import { parseCount } from '@pinwheel/bench';
import { PinwheelError } from '@pinwheel/protocol';
import type { Option } from '../settings/option.js';
import type { Settings } from '../settings/settings.js';

/** A list of known words, separated by commas. */
export function wordsOf<T extends string>(settings: Settings, option: Option): readonly T[] | undefined {
  return settings.text(option)?.split(',') as readonly T[] | undefined;
}

/** @throws PinwheelError `bad-option`. */
export function countOf(settings: Settings, option: Option): number | undefined {
  const given = settings.text(option);
  return given === undefined ? undefined : parseCount(`--${option.name}`, given);
}

/** @throws PinwheelError `bad-option`. */
export function countsOf(settings: Settings, option: Option): readonly number[] | undefined {
  return settings
    .text(option)
    ?.split(',')
    .map((one) => {
      if (/^[0-9]{1,6}$/.test(one)) return Number(one);
      throw new PinwheelError(
        'bad-option',
        `--${option.name} has ${JSON.stringify(one)}; it must be whole numbers, separated by commas`,
      );
    });
}
