const prime1 = 0x9e3779b1;
const prime2 = 0x85ebca77;
const prime3 = 0xc2b2ae3d;
const prime4 = 0x27d4eb2f;
const prime5 = 0x165667b1;

/** XXH32 goes another way from 16 bytes on, and there WebAssembly soon is as fast, its copy of the key included. */
const tooLong = 16;

/**
 * XXH32 with seed 0 of up to 15 ASCII characters, as a signed 32-bit integer; `undefined` for other keys.
 * Source: https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md, "XXH32 algorithm description", which for
 * so short an input has no step 2.
 *
 * Reads the characters where they are: to copy ten of them to WebAssembly costs four times their hash.
 */
export function xxhash32Short(key: string): number | undefined {
  const { length } = key;
  if (length >= tooLong) return undefined;
  let seen = 0;
  let at = 0;
  let hash = (prime5 + length) | 0;
  for (; at <= length - 4; at += 4) {
    const a = key.charCodeAt(at);
    const b = key.charCodeAt(at + 1);
    const c = key.charCodeAt(at + 2);
    const d = key.charCodeAt(at + 3);
    seen |= a | b | c | d;
    const word = a | (b << 8) | (c << 16) | (d << 24);
    hash = Math.imul(rotate((hash + Math.imul(word, prime3)) | 0, 17), prime4);
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

function rotate(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits));
}
