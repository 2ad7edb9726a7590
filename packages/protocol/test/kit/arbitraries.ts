import fc from 'fast-check';
import type { Receipt } from '../../src/index.js';

/** Objects as everybody writes them. */
export function plain<T>(fields: { [Name in keyof T]: fc.Arbitrary<T[Name]> }): fc.Arbitrary<T> {
  return fc.record(fields, { noNullPrototype: true });
}

export const u32 = fc.oneof(fc.nat(0xffff), fc.constantFrom(0, 1, 0x7fffffff, 0x80000000, 0xffffffff));

/** A text of so many bytes of UTF-8; now and then with a mark that decoders like to swallow. */
export function textOf(least: number, most: number): fc.Arbitrary<string> {
  return fc
    .oneof(
      fc.stringMatching(/^[\x20-\x7e]*$/, { maxLength: most }),
      fc.string({ unit: 'binary', minLength: least, maxLength: Math.max(1, most >> 2) }),
      fc.constantFrom('\ufeff', '\ufeffx', '__proto__', '\u0000', '\ud7ff\ue000', '😀'),
    )
    .filter((text) => {
      const bytes = Buffer.byteLength(text);
      return text.isWellFormed() && bytes >= least && bytes <= most;
    });
}

export const id = fc.oneof(fc.constant(''), fc.stringMatching(/^[\x21-\x7e]{1,64}$/));

/** Data and whether it is binary; what is not is UTF-8. */
export const payload: fc.Arbitrary<{ binary: boolean; data: Uint8Array }> = fc.oneof(
  plain({ binary: fc.constant(true), data: fc.uint8Array({ maxLength: 100 }) }),
  plain({
    binary: fc.boolean(),
    data: textOf(0, 100).map((text) => new Uint8Array(Buffer.from(text))),
  }),
);

export const receipt: fc.Arbitrary<Receipt> = fc.record(
  {
    user: textOf(1, 256),
    status: fc.constantFrom('delivered', 'queued', 'published', 'offline', 'overloaded', 'not-owner'),
    sessions: fc.nat(),
    stream: textOf(1, 64),
    seq: u32,
    owner: textOf(1, 64),
    fingerprint: textOf(0, 64),
    error: plain({
      code: fc.constantFrom('deadline', 'internal', 'unknown-outcome'),
      message: textOf(0, 200),
    }),
  },
  { requiredKeys: ['user', 'status'], noNullPrototype: true },
);

type Damage = (bytes: Uint8Array) => Uint8Array;

/** Ways to spoil valid bytes: some changed, an end cut off, some added, some left out. */
export const damage: fc.Arbitrary<Damage> = fc.oneof(
  fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 }).map((changes): Damage => {
    return (bytes) => {
      const copy = Uint8Array.from(bytes);
      for (const [at, value] of changes) copy[at % copy.length] = value;
      return copy;
    };
  }),
  fc.nat().map(
    (cut): Damage =>
      (bytes) =>
        bytes.slice(0, cut % bytes.length),
  ),
  fc.uint8Array({ minLength: 1, maxLength: 9 }).map((more): Damage => {
    return (bytes) => Buffer.concat([bytes, more]);
  }),
  fc.tuple(fc.nat(), fc.integer({ min: 1, max: 9 })).map(([place, count]): Damage => {
    return (bytes) => {
      const at = place % bytes.length;
      return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + count)]);
    };
  }),
);
