import { createHash } from 'node:crypto';
import xxhash from 'xxhash-wasm';
import type { RingHash } from './ring-settings.js';
import { xxhash32Short } from './xxhash32.js';

const { h32 } = await xxhash();

/**
 * Hashes the UTF-8 bytes of a key to its point on the ring, as a signed 32-bit integer: the engine keeps those
 * without an allocation. `>>> 0` makes it the unsigned point.
 */
export type KeyHash = (key: string) => number;

const keyHashes: Readonly<Record<RingHash, KeyHash>> = {
  // https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md, XXH32, seed 0
  xxhash32: (key) => xxhash32Short(key) ?? h32(key, 0) | 0,
  // the first four bytes of the digest, read as little-endian, as ketama does
  md5: (key) => createHash('md5').update(key, 'utf8').digest().readInt32LE(0),
};

export function keyHash(hash: RingHash): KeyHash {
  return keyHashes[hash];
}
