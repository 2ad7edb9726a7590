const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

/** Without a view, a copy or a text: data is looked through where it lies. */
export function isValidUtf8(bytes: Uint8Array, from: number, to: number): boolean {
  for (let at = from; at < to; ) {
    const lead = bytes[at]!;
    if (lead < 0x80) {
      at++;
      continue;
    }
    const following = lead < 0xc2 ? 0 : lead < 0xe0 ? 1 : lead < 0xf0 ? 2 : lead < 0xf5 ? 3 : 0;
    if (following === 0 || at + following >= to) return false;
    // the second byte's range keeps out longer forms than needed, surrogates and what is beyond U+10FFFF
    const least = lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80;
    const most = lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf;
    const second = bytes[at + 1]!;
    if (second < least || second > most) return false;
    for (let i = 2; i <= following; i++) {
      if ((bytes[at + i]! & 0xc0) !== 0x80) return false;
    }
    at += following + 1;
  }
  return true;
}

/** What has been found valid, as a text. */
export function decodeUtf8(bytes: Uint8Array, from: number, to: number): string {
  return decoder.decode(new Uint8Array(bytes.buffer, bytes.byteOffset + from, to - from));
}

export function encodeUtf8(text: string): Uint8Array {
  return encoder.encode(text);
}

/** Whether a text takes at most so many bytes; most are so short that nobody needs to count. */
export function fitsUtf8(text: string, most: number): boolean {
  return text.length * 3 <= most || (text.length <= most && encoder.encode(text).length <= most);
}
