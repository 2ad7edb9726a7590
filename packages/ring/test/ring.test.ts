import fc from 'fast-check';
import HashRing from 'hashring';
import t from 'tap';
import xxhash from 'xxhash-wasm';
import { buildRing, isMemberId, type Ring, type RingMember, ringSettingsDigest } from '../src/index.js';

const { h32 } = await xxhash();
const hashSpace = 2 ** 32;

function members(...ids: readonly string[]): readonly RingMember[] {
  return ids.map((id) => ({ id }));
}

function numbered(count: number): readonly RingMember[] {
  return Array.from({ length: count }, (_, i) => ({ id: `node-${i}` }));
}

/** Class and message of what a call throws; empty when it does not. */
function refusal(call: () => unknown): string {
  try {
    call();
    return '';
  } catch (error) {
    return String(error);
  }
}

/** hashring's own ring of all members together, with the same hash. */
function hashringOf(ids: readonly string[], vnodes: number): HashRing {
  const digest = (label: string): Buffer => {
    const bytes = Buffer.allocUnsafe(4);
    bytes.writeUInt32LE(h32(label, 0), 0);
    return bytes;
  };
  const servers = Object.fromEntries([...ids].sort().map((id) => [id, { vnodes }]));
  return new HashRing(servers, digest, { replicas: 1, 'vnode count': 0, 'max cache size': 1 });
}

t.test('placement', async (t) => {
  await t.test(
    'is that of the npm package hashring, point by point, whatever the ids look like',
    async (t) => {
      const ids = ['node-1', 'a:1', '::1', 'constructor', '127.0.0.1:80', 'toString', 'a.b_c-d', '1'];
      const ring = buildRing(members(...ids), { virtualNodes: 64 });
      const reference = hashringOf(ids, 64).ring;
      t.equal(ring.size, reference.length);
      const mismatches = reference.filter(({ value, server }, i) => {
        const before = reference[i - 1]?.value ?? -1;
        return ring.ownerOfHash(value) !== server || ring.ownerOfHash(before + 1) !== server;
      });
      t.same(mismatches, []);
    },
  );

  await t.test('gives every key the owner that hashring gives it, at ten members of 512', async (t) => {
    const reference = hashringOf(
      numbered(10).map(({ id }) => id),
      512,
    );
    const ring = buildRing(numbered(10));
    const keys = Array.from({ length: 20_000 }, (_, i) => `user-${i}`);
    t.same(
      keys.filter((key) => ring.owner(key) !== reference.get(key)),
      [],
    );
  });

  await t.test('hashes any key as xxhash-wasm does: ASCII or not, short or long', async (t) => {
    const ring = buildRing(members('a'));
    const same = (key: string): boolean => ring.hashOf(key) === h32(key, 0);
    const lengths = Array.from({ length: 257 }, (_, length) =>
      'abcdefghij~\u0000\u007f'.repeat(20).slice(0, length),
    );
    t.same(
      lengths.filter((key) => !same(key)),
      [],
    );
    fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 80 }), same), { numRuns: 2000 });
    fc.assert(fc.property(fc.string({ unit: 'binary-ascii', maxLength: 80 }), same), { numRuns: 2000 });
  });

  await t.test('with md5, a point is the first four bytes of the digest, little-endian', async (t) => {
    const ring = buildRing(members('a', 'b'), { hash: 'md5' });
    // md5("a") is 0cc175b9c0f1b6a831c399e269772661
    t.equal(ring.hashOf('a'), 0xb975c10c);
  });

  await t.test('does not depend on the order in which the members arrive', async (t) => {
    const arrivals = fc.shuffledSubarray([...numbered(12)], { minLength: 12 });
    const ring = buildRing(numbered(12), { virtualNodes: 32 });
    fc.assert(
      fc.property(arrivals, fc.string({ minLength: 1 }), (arrived, key) => {
        const other = buildRing(arrived, { virtualNodes: 32 });
        return other.fingerprint === ring.fingerprint && other.owner(key) === ring.owner(key);
      }),
    );
    t.same(
      buildRing(members('b', 'B', 'a', '9', '10')).members.map(({ id }) => id),
      ['10', '9', 'B', 'a', 'b'],
    );
  });

  await t.test('gives a point that two members share to the one whose id comes first', async (t) => {
    const shared = h32('tie-411-393', 0);
    t.equal(h32('tie-647-71', 0), shared);
    const both = ['tie-411', 'tie-647'];
    const first = buildRing(members('tie-411'));
    const second = buildRing(members('tie-647'));
    const rings: readonly Ring[] = [
      buildRing(members(...both)),
      buildRing(members(...both.toReversed())),
      buildRing(members(...both), {}, first),
      buildRing(members(...both), {}, second),
    ];
    for (const ring of rings) {
      t.equal(ring.ownerOfHash(shared), 'tie-411');
      t.equal(ring.owner('tie-647-71'), 'tie-411');
      t.same(ring.owners('tie-411-393', 2), both);
    }
  });
});

t.test('a ring of any members', async (t) => {
  const anyRing = fc
    .uniqueArray(
      fc.record({
        id: fc.stringMatching(/^[A-Za-z0-9._:-]{1,64}$/).filter(isMemberId),
        weight: fc.double({ min: 0.01, max: 100, noNaN: true }),
      }),
      { minLength: 1, maxLength: 12, selector: (member) => member.id },
    )
    .map((list) => buildRing(list, { virtualNodes: 40 }));

  await t.test('has shares that add up to 1, one for each member', async (t) => {
    fc.assert(
      fc.property(anyRing, (ring) => {
        const shares = [...ring.shares()];
        const total = shares.reduce((sum, [, share]) => sum + share, 0);
        const ids = ring.members.map(({ id }) => id);
        return Math.abs(total - 1) < 1e-9 && shares.every(([id], i) => id === ids[i]);
      }),
    );
    t.pass('for 100 rings');
  });

  await t.test(
    'names distinct owners: the owner, then who owns the key when those before have left',
    async (t) => {
      fc.assert(
        fc.property(anyRing, fc.string({ minLength: 1 }), (ring, key) => {
          let left: readonly RingMember[] = ring.members;
          const heirs: string[] = [];
          while (left.length > 0) {
            const owner = buildRing(left, ring.settings).owner(key)!;
            heirs.push(owner);
            left = left.filter(({ id }) => id !== owner);
          }
          const owners = ring.owners(key, ring.members.length + 1);
          return owners.join() === heirs.join() && ring.owners(key, 1)[0] === ring.owner(key);
        }),
      );
      t.pass('for 100 rings');
    },
  );

  await t.test('gives a member of double weight about double the share', async (t) => {
    const ring = buildRing([...numbered(9), { id: 'double', weight: 2 }], { virtualNodes: 4096 });
    t.equal(ring.size, 11 * 4096);
    t.ok(Math.abs(ring.shares().get('double')! - 2 / 11) < 0.01);
  });
});

t.test('keys that mean something to JavaScript or are not ASCII', async (t) => {
  const ring = buildRing(numbered(10));
  for (const key of [
    '__proto__',
    'constructor',
    'hasOwnProperty',
    ' ',
    '\u0000',
    'é',
    '日本語',
    '🎡'.repeat(64),
  ]) {
    await t.test(`${JSON.stringify(key).slice(0, 20)} has an owner by its bytes`, async (t) => {
      t.equal(ring.hashOf(key), h32(key, 0));
      t.equal(ring.owner(key), ring.ownerOfHash(h32(key, 0)));
      t.match(ring.owner(key), /^node-\d$/);
    });
  }
});

t.test('a hash beyond the last point belongs to the first point', async (t) => {
  const ring = buildRing(numbered(3), { virtualNodes: 4 });
  const points = hashringOf(
    numbered(3).map(({ id }) => id),
    4,
  ).ring;
  t.equal(ring.ownerOfHash(points.at(-1)!.value + 1), points[0]!.server);
  t.equal(ring.ownerOfHash(hashSpace - 1), points[0]!.server);
  t.equal(ring.ownerOfHash(0), points[0]!.server);
});

t.test('a ring without members', async (t) => {
  for (const ring of [buildRing([]), buildRing([], {}, buildRing(numbered(2)))]) {
    t.equal(ring.size, 0);
    t.equal(ring.owner('user-1'), undefined);
    t.equal(ring.ownerOfHash(hashSpace - 1), undefined);
    t.same(ring.owners('user-1', 3), []);
    t.equal(ring.shares().size, 0);
  }
});

t.test('owners of fewer than one member are none', async (t) => {
  t.same(buildRing(numbered(2)).owners('user-1', 0), []);
  t.same(buildRing(numbered(2)).owners('user-1', -1), []);
});

t.test('what no ring can be built from', async (t) => {
  const refusals: Readonly<Record<string, readonly [() => unknown, string]>> = {
    'no virtual nodes': [
      () => buildRing([], { virtualNodes: 0 }),
      'RangeError: virtualNodes is 0; it must be between 1 and 4096',
    ],
    'too many virtual nodes': [
      () => buildRing([], { virtualNodes: 4097 }),
      'RangeError: virtualNodes is 4097; it must be between 1 and 4096',
    ],
    'half a virtual node': [
      () => buildRing([], { virtualNodes: 1.5 }),
      'RangeError: virtualNodes is 1.5; it must be between 1 and 4096',
    ],
    'a hash that is not known': [
      () => buildRing([], { hash: 'crc32' as 'md5' }),
      'RangeError: hash is "crc32"; it must be "xxhash32" or "md5"',
    ],
    'an empty id': [
      () => buildRing(members('')),
      'RangeError: member id is ""; it must match ^[A-Za-z0-9._:-]{1,64}$ and not be __proto__',
    ],
    'an id with a space': [
      () => buildRing(members('a b')),
      'RangeError: member id is "a b"; it must match ^[A-Za-z0-9._:-]{1,64}$ and not be __proto__',
    ],
    'an id that hashring would lose': [
      () => buildRing(members('__proto__')),
      'RangeError: member id is "__proto__"; it must match ^[A-Za-z0-9._:-]{1,64}$ and not be __proto__',
    ],
    'an id twice': [
      () => buildRing(members('a', 'b', 'a')),
      'RangeError: member id a is in the list twice; ids must be unique',
    ],
    'no weight': [
      () => buildRing([{ id: 'a', weight: 0 }]),
      'RangeError: weight of a is 0; it must be between 0.01 and 100',
    ],
    'too much weight': [
      () => buildRing([{ id: 'a', weight: 100.5 }]),
      'RangeError: weight of a is 100.5; it must be between 0.01 and 100',
    ],
    'a weight that is not a number': [
      () => buildRing([{ id: 'a', weight: Number.NaN }]),
      'RangeError: weight of a is NaN; it must be between 0.01 and 100',
    ],
    'too many points': [
      () =>
        buildRing(
          numbered(11).map((member) => ({ ...member, weight: 100 })),
          { virtualNodes: 4096 },
        ),
      'RangeError: the ring has 4505600 points; it must have at most 4194304',
    ],
    'too many members': [
      () => buildRing(numbered(65_536), { virtualNodes: 1 }),
      'RangeError: the ring has 65536 members; it must have at most 65535',
    ],
  };
  for (const [situation, [call, message]] of Object.entries(refusals)) {
    await t.test(`${situation} is refused, by name, value and bound`, async (t) =>
      t.equal(refusal(call), message),
    );
  }
});

t.test('the fingerprint', async (t) => {
  await t.test('stays what it was in every version: processes of two versions share a ring', async (t) => {
    t.equal(buildRing([]).fingerprint, '7101256fcdb9963c');
    t.equal(buildRing(members('node-1', 'node-2')).fingerprint, '36ceaeccda6090bd');
    t.equal(
      buildRing([{ id: 'a', weight: 2.5 }], { hash: 'md5', virtualNodes: 160 }).fingerprint,
      '259939befd13a920',
    );
    t.equal(ringSettingsDigest(buildRing([]).settings), 'e99bd432060f2c2d');
  });

  await t.test('tells members, weights and settings apart, and not how the ring came about', async (t) => {
    const ring = buildRing(numbered(3));
    const others = [
      buildRing(numbered(4)),
      buildRing(numbered(2)),
      buildRing([...numbered(2), { id: 'node-2', weight: 1.01 }]),
      buildRing(numbered(3), { virtualNodes: 511 }),
      buildRing(numbered(3), { hash: 'md5' }),
    ];
    t.equal(new Set([ring, ...others].map(({ fingerprint }) => fingerprint)).size, 6);
    t.equal(buildRing(numbered(3), {}, buildRing(numbered(9))).fingerprint, ring.fingerprint);
  });
});

t.test('the ring does not write to what it was given, and cannot be written to', async (t) => {
  const list = Object.freeze([Object.freeze({ id: 'b' }), Object.freeze({ id: 'a' })]);
  const ring = buildRing(list);
  t.same(
    list.map(({ id }) => id),
    ['b', 'a'],
  );
  t.ok(Object.isFrozen(ring.members));
  t.ok(Object.isFrozen(ring.settings));
});
