import type { Log } from '../src/log/log.js';

/** A log whose lines a test reads: the text, then the fields as JSON. */
export function recordedLog(): Log & { readonly lines: string[] } {
  const lines: string[] = [];
  const write = (fields: object, text: string) => lines.push(`${text} ${JSON.stringify(fields)}`);
  return { lines, info: write, warn: write, error: write };
}
