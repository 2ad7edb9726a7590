const prime1 = 0x9e3779b1;
const prime2 = 0x85ebca77;
const prime3 = 0xc2b2ae3d;
const prime4 = 0x27d4eb2f;
const prime5 = 0x165667b1;

/** From here on WebAssembly is as fast, the copy into its memory included. */
const tooLong = 64;

/** All characters that the call in progress has read, or-ed together: they are ASCII when this is. */
let seen = 0;

/**
 * XXH32 with seed 0 of a short key of ASCII characters, as a signed 32-bit integer; `undefined` for other keys.
 * Source: https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md, "XXH32 algorithm description".
 *
 * Reads the characters where they are: to copy ten of them to WebAssembly costs four times their hash.
 */
export function xxhash32Ascii(key: string): number | undefined {
  const { length } = key;
  if (length >= tooLong) return undefined;
  seen = 0;
  let at = 0;
  let hash = prime5;
  if (length >= 16) {
    let a = (prime1 + prime2) | 0;
    let b = prime2 | 0;
    let c = 0;
    let d = -prime1 | 0;
    for (; at <= length - 16; at += 16) {
      a = round(a, word(key, at));
      b = round(b, word(key, at + 4));
      c = round(c, word(key, at + 8));
      d = round(d, word(key, at + 12));
    }
    hash = rotate(a, 1) + rotate(b, 7) + rotate(c, 12) + rotate(d, 18);
  }
  hash = (hash + length) | 0;
  for (; at <= length - 4; at += 4) {
    hash = Math.imul(rotate((hash + Math.imul(word(key, at), prime3)) | 0, 17), prime4);
  }
  for (; at < length; at++) {
    const char = key.charCodeAt(at);
    seen |= char;
    hash = Math.imul(rotate((hash + Math.imul(char, prime5)) | 0, 11), prime1);
  }
  if (seen > 0x7f) return undefined;
  hash = Math.imul(hash ^ (hash >>> 15), prime2);
  hash = Math.imul(hash ^ (hash >>> 13), prime3);
  return hash ^ (hash >>> 16);
}

/** Four characters as a little-endian integer. */
function word(key: string, at: number): number {
  const a = key.charCodeAt(at);
  const b = key.charCodeAt(at + 1);
  const c = key.charCodeAt(at + 2);
  const d = key.charCodeAt(at + 3);
  seen |= a | b | c | d;
  return a | (b << 8) | (c << 16) | (d << 24);
}

function round(lane: number, input: number): number {
  return Math.imul(rotate((lane + Math.imul(input, prime2)) | 0, 13), prime1);
}

function rotate(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits));
}
