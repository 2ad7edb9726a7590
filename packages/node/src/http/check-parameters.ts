import { PinwheelError } from '@pinwheel/protocol';

/**
 * A parameter that is not known, has no value or is there again would be passed over, and more be done than was asked.
 *
 * @param query without the question mark.
 * @throws PinwheelError `bad-request`.
 */
export function checkParameters(query: string, known: readonly string[]): void {
  const seen = new Set<string>();
  for (const pair of query.split('&')) {
    if (pair === '') continue;
    const name = pair.split('=', 1)[0]!;
    const shown = JSON.stringify(name.slice(0, 80));
    if (!known.includes(name)) throw bad(`unknown parameter ${shown}; known: ${known.join(', ')}`);
    if (name === pair) throw bad(`parameter ${shown} has no value; write ${name}=…`);
    if (seen.has(name)) throw bad(`parameter ${shown} is there more than once; it must be there once`);
    seen.add(name);
  }
}

function bad(why: string): PinwheelError {
  return new PinwheelError('bad-request', why);
}
