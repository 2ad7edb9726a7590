import { printable } from './printable.js';

/** Something that happens while a command goes on, on stderr: words on a terminal, elsewhere JSON for a program. */
export function sayEvent(event: object, text: string): void {
  process.stderr.write(process.stderr.isTTY ? `${printable(text)}\n` : `${JSON.stringify(event)}\n`);
}
