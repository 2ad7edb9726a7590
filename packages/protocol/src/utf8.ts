import { isUtf8 } from 'node:buffer';

/**
 * Writes a text and gives its length in bytes. Ids and most user names are short and ASCII: a loop beats a call into
 * the encoder.
 */
export function writeUtf8(bytes: Buffer, text: string, at: number): number {
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit > 0x7f) return bytes.write(text, at, 'utf8');
    bytes[at + i] = unit;
  }
  return text.length;
}

/** The text, or `undefined` when the bytes are not UTF-8: decoding would replace them and make another text. */
export function readUtf8(bytes: Buffer, from: number, to: number): string | undefined {
  for (let i = from; i < to; i++) {
    if (bytes[i]! > 0x7f)
      return isUtf8(bytes.subarray(from, to)) ? bytes.toString('utf8', from, to) : undefined;
  }
  return bytes.toString('latin1', from, to);
}
