import type { PinwheelError } from '@pinwheel/protocol';

export interface KeyEntriesKind {
  /** How many there may be. */
  readonly least: number;
  readonly most: number;
  /** What the text must be, for the error. */
  readonly must: string;
  readonly bad: (why: string) => PinwheelError;
}

/** The entries of `{"keys":[{…},…]}`, none of which is looked at. Throws without a character of the text. */
export function keyEntriesIn(
  text: string,
  { least, most, must, bad }: KeyEntriesKind,
): readonly Readonly<Record<string, unknown>>[] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // what JSON.parse says quotes the text
    throw bad('it is not JSON');
  }
  const keys = (value as { keys?: unknown } | null)?.keys;
  const isList = Array.isArray(keys) && keys.every((key) => typeof key === 'object' && key !== null);
  if (isList && keys.length >= least && keys.length <= most) return keys;
  throw bad(must);
}
