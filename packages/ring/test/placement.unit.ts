import fc from 'fast-check';
import HashRing from 'hashring';
import t from 'tap';
import xxhash from 'xxhash-wasm';
import { buildRing, type Ring, type RingMember } from '../src/index.js';

const { h32 } = await xxhash();
const hashSpace = 2 ** 32;

function members(...ids: readonly string[]): readonly RingMember[] {
  return ids.map((id) => ({ id }));
}

function numbered(count: number): readonly RingMember[] {
  return Array.from({ length: count }, (_, i) => ({ id: `node-${i}` }));
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

t.test('a ring with hardly a point names the owners of keys right round it', async (t) => {
  const ring = buildRing(numbered(3), { virtualNodes: 1 });
  const points = hashringOf(
    numbered(3).map(({ id }) => id),
    1,
  ).ring.map(({ server }) => server);
  const around = Array.from({ length: 200 }, (_, i) => ring.owners(`user-${i}`, 3).join());
  const rounds = points.map((_, i) => [...points.slice(i), ...points.slice(0, i)].join());
  t.same(new Set(around), new Set(rounds));
});
