import fc from 'fast-check';
import t from 'tap';
import { buildRing, isMemberId, type RingMember, ringSettingsDigest } from '../src/index.js';

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
