import { PinwheelError } from '@pinwheel/protocol';
import { camelCase } from '../settings/option.js';
import { options } from '../settings/options.js';

const flags: ReadonlyMap<string, string> = new Map(
  Object.values(options).map(({ name }) => [camelCase(name), `--${name}`]),
);

/**
 * Makes something whose options are given here in other words: an error names them as flags.
 *
 * @throws PinwheelError what `make` throws.
 */
export async function inFlags<Made>(make: () => Promise<Made>): Promise<Made> {
  try {
    return await make();
  } catch (thrown) {
    if (!(thrown instanceof PinwheelError) || thrown.code !== 'bad-option') throw thrown;
    throw new PinwheelError('bad-option', asFlags(thrown.message), { cause: thrown });
  }
}

/** `jwt.issuer` and `bindHost` become `--jwt-issuer` and `--bind-host`. */
export function asFlags(message: string): string {
  return message.replace(/\b[a-z]+(?:[A-Z]\w*|\.[a-z]\w*)\b/g, (word) => {
    const name = word.replace(/\.([a-z])/, (_, letter: string) => letter.toUpperCase());
    return flags.get(name) ?? flags.get(word.replace(/^jwt\./, '')) ?? word;
  });
}
