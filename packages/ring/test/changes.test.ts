import fc from 'fast-check';
import t from 'tap';
import { buildRing, diff, plan, type Ring, type RingMember } from '../src/index.js';

const hashSpace = 2 ** 32;

function numbered(count: number): readonly RingMember[] {
  return Array.from({ length: count }, (_, i) => ({ id: `node-${i}` }));
}

/** Every size from 2 to 300, each ring built upon the one before. */
function* growth(weightOf: (i: number) => number): Generator<{ before: Ring; after: Ring; joiner: string }> {
  let before = buildRing([{ id: 'node-0', weight: weightOf(0) }]);
  for (let i = 1; i < 300; i++) {
    const joiner = `node-${i}`;
    const after = buildRing(
      [...before.members, { id: joiner, weight: weightOf(i) }],
      before.settings,
      before,
    );
    yield { before, after, joiner };
    before = after;
  }
}

const weightings = {
  'of equal weight': () => 1,
  'of different weights': (i: number) => [1, 2, 0.5, 0.29, 3.7][i % 5]!,
};

for (const [which, weightOf] of Object.entries(weightings)) {
  t.test(`one by one, 300 members ${which} join`, async (t) => {
    let strays = 0;
    let unequal = 0;
    for (const { before, after, joiner } of growth(weightOf)) {
      const joined = diff(before, after);
      const left = diff(after, before);
      strays += joined.arcs.filter(({ from, to }) => to !== joiner || from === joiner).length;
      strays += left.arcs.filter(({ from, to }) => from !== joiner || to === joiner).length;
      if (Math.abs(joined.share - after.shares().get(joiner)!) > 1e-9) unequal++;
      if (Math.abs(left.share - joined.share) > 1e-9) unequal++;
    }
    await t.test('and no join or leave moves a key between members that stay', async (t) =>
      t.equal(strays, 0),
    );
    await t.test('and what moves is exactly the share of the one that joins', async (t) =>
      t.equal(unequal, 0),
    );
  });
}

t.test('a member that gets more weight takes keys from the others and gives none', async (t) => {
  const before = buildRing(numbered(20));
  const after = buildRing([...numbered(19), { id: 'node-19', weight: 2 }], {}, before);
  t.ok(diff(before, after).arcs.every(({ to }) => to === 'node-19'));
  t.ok(diff(after, before).arcs.every(({ from }) => from === 'node-19'));
});

/** Some of these ids have points in common. */
const poolOfIds = ['tie-411', 'tie-647', 'a', 'b:1', '10', '9', 'node-1'];
const anyMembers = fc.uniqueArray(
  fc.record({ id: fc.constantFrom(...poolOfIds), weight: fc.constantFrom(0.01, 0.5, 1, 1, 1, 2) }),
  { selector: (member) => member.id },
);

t.test(
  'a ring built upon another, through any sequence of joins, leaves and changes of weight',
  async (t) => {
    const anyHistory = fc.array(anyMembers, { minLength: 2, maxLength: 8 });

    // with so many who stay it is built upon the ring before; a small one is sorted anew
    for (const [which, staying] of [
      ['small', []],
      ['large', Array.from({ length: 9 }, (_, i) => ({ id: `stays-${i}` }))],
    ] as const) {
      await t.test(`is the ring built from nothing, ${which}`, async (t) => {
        fc.assert(
          fc.property(anyHistory, (history) => {
            let ring = buildRing(staying);
            for (const some of history) {
              const members = [...staying, ...some];
              ring = buildRing(members, {}, ring);
              const whole = buildRing(members);
              if (ring.fingerprint !== whole.fingerprint || ring.size !== whole.size) return false;
              if (diff(ring, whole).arcs.length > 0) return false;
              const labels = ['tie-411-393', 'tie-647-76', 'a-0', 'node-1-511', '__proto__'];
              if (labels.some((key) => ring.owners(key, 9).join() !== whole.owners(key, 9).join()))
                return false;
              const shares = whole.shares();
              if ([...ring.shares()].some(([id, share]) => share !== shares.get(id))) return false;
            }
            return true;
          }),
        );
        t.pass('for 100 histories');
      });
    }

    await t.test('leaves the ring before as it was', async (t) => {
      const before = buildRing(numbered(20));
      const owners = ['x', 'y', 'z', 'user-1'].map((key) => before.owners(key, 5).join());
      buildRing([...numbered(24).slice(2), { id: 'aaa' }], {}, before);
      t.same(
        ['x', 'y', 'z', 'user-1'].map((key) => before.owners(key, 5).join()),
        owners,
      );
    });

    await t.test('goes on for as many members as may come and go', async (t) => {
      let ring = buildRing([]);
      for (const generation of ['a', 'b', 'c']) {
        const members = Array.from({ length: 33_000 }, (_, i) => ({ id: `${generation}-${i}` }));
        ring = buildRing(members, { virtualNodes: 1 }, ring);
      }
      const keys = Array.from({ length: 1000 }, (_, i) => `user-${i}`);
      t.equal(ring.size, 33_000);
      t.ok(keys.every((key) => ring.owner(key)?.startsWith('c-')));
      const shares = [...ring.shares().values()];
      t.ok(shares.filter((share) => share > 0).length > 32_900, 'but for the few with a point in common');
    });

    await t.test('counts no member of a ring with another hash as placed', async (t) => {
      const md5 = buildRing(numbered(20), { hash: 'md5' });
      t.same(diff(buildRing(numbered(20), {}, md5), buildRing(numbered(20))).arcs, []);
    });

    await t.test('places a member anew when the virtual nodes differ', async (t) => {
      const fewer = buildRing(numbered(20), { virtualNodes: 500 });
      t.same(diff(buildRing(numbered(20), {}, fewer), buildRing(numbered(20))).arcs, []);
    });
  },
);

t.test('diff of any two rings', async (t) => {
  const anyRing = anyMembers.map((members) => buildRing(members));
  const anyHash = fc.oneof(fc.integer({ min: 0, max: hashSpace - 1 }), fc.constantFrom(0, hashSpace - 1));

  await t.test('says for every hash whether it moves, from whom and to whom', async (t) => {
    fc.assert(
      fc.property(anyRing, anyRing, fc.array(anyHash, { minLength: 200 }), (before, after, hashes) => {
        const { arcs } = diff(before, after);
        // the ends of the arcs, and what lies next to them, besides hashes at random
        const ends = arcs.flatMap(({ after, upTo }) => [Math.max(after, 0), after + 1, upTo, upTo + 1]);
        return [...hashes, ...ends.filter((hash) => hash < hashSpace)].every((hash) => {
          const from = before.ownerOfHash(hash);
          const to = after.ownerOfHash(hash);
          const arc = arcs.find((arc) => arc.after < hash && hash <= arc.upTo);
          return from === to ? arc === undefined : arc?.from === from && arc?.to === to;
        });
      }),
      { numRuns: 30 },
    );
    t.pass('for 30 pairs of rings');
  });

  await t.test('has arcs in order, apart from one another or between different members', async (t) => {
    fc.assert(
      fc.property(anyRing, anyRing, (before, after) =>
        diff(before, after).arcs.every((arc, i, arcs) => {
          const last = arcs[i - 1];
          if (arc.upTo <= arc.after) return false;
          if (last === undefined) return arc.after >= -1;
          return (
            last.upTo < arc.after ||
            (last.upTo === arc.after && (last.from !== arc.from || last.to !== arc.to))
          );
        }),
      ),
    );
    t.pass('for 100 pairs of rings');
  });

  await t.test('adds the arcs up by pair of members, largest first', async (t) => {
    fc.assert(
      fc.property(anyRing, anyRing, (before, after) => {
        const { arcs, moves, share } = diff(before, after);
        const near = (a: number, b: number): boolean => Math.abs(a - b) < 1e-9;
        const total = arcs.reduce((sum, { after, upTo }) => sum + (upTo - after) / hashSpace, 0);
        const byPair = moves.every((move) => {
          const own = arcs.filter(({ from, to }) => from === move.from && to === move.to);
          const sum = own.reduce((sum, { after, upTo }) => sum + (upTo - after) / hashSpace, 0);
          return own.length > 0 && near(sum, move.share);
        });
        const ordered = moves.every((move, i) => i === 0 || move.share <= moves[i - 1]!.share);
        const all = moves.reduce((sum, move) => sum + move.share, 0);
        return byPair && ordered && near(total, share) && near(all, share);
      }),
    );
    t.pass('for 100 pairs of rings');
  });

  await t.test('to or from a ring without members is one arc for each run of keys', async (t) => {
    const empty = buildRing([]);
    const one = buildRing(numbered(1));
    t.same(diff(empty, one).arcs, [{ after: -1, upTo: hashSpace - 1, from: undefined, to: 'node-0' }]);
    t.same(diff(one, empty).moves, [{ from: 'node-0', to: undefined, share: 1 }]);
    t.same(diff(empty, empty), { arcs: [], share: 0, moves: [] });
  });

  await t.test('is refused when they hash keys differently', async (t) => {
    t.throws(
      () => diff(buildRing(numbered(1)), buildRing(numbered(1), { hash: 'md5' })),
      new RangeError('the rings hash with xxhash32 and md5; it must be the same hash'),
    );
  });
});

t.test('a plan', async (t) => {
  const ring = buildRing([...numbered(3), { id: 'heavy', weight: 2 }]);

  await t.test('of a join and a leave says what would move, and changes nothing', async (t) => {
    const { before, after, diff: planned } = plan(ring, { add: [{ id: 'node-9' }], remove: ['node-0'] });
    t.equal(before, ring);
    t.same(
      after.members.map(({ id }) => id),
      ['heavy', 'node-1', 'node-2', 'node-9'],
    );
    t.same(planned, diff(ring, after));
    t.ok(planned.moves.every(({ from, to }) => from === 'node-0' || to === 'node-9'));
    t.equal(ring.members.length, 4);
  });

  await t.test('of a member that is there already changes its weight', async (t) => {
    const { after } = plan(ring, { add: [{ id: 'heavy', weight: 1 }] });
    t.same(
      after.members.find(({ id }) => id === 'heavy'),
      { id: 'heavy', weight: 1 },
    );
  });

  await t.test('keeps the weights and the settings of the ring', async (t) => {
    const small = buildRing([{ id: 'a', weight: 2 }], { virtualNodes: 10 });
    const { after } = plan(small, { add: [{ id: 'b' }] });
    t.same(after.settings, small.settings);
    t.equal(after.size, 30);
  });

  await t.test('of nothing moves nothing', async (t) => {
    t.equal(plan(ring, {}).diff.share, 0);
    t.equal(plan(ring, {}).after.fingerprint, ring.fingerprint);
  });

  await t.test('to remove who is not there is refused, with the members that are', async (t) => {
    t.throws(
      () => plan(ring, { remove: ['node-7'] }),
      new RangeError('cannot remove node-7: it is not in the ring; members: heavy, node-0, node-1, node-2'),
    );
  });

  await t.test('to add what no ring can be built from is refused', async (t) => {
    t.throws(
      () => plan(ring, { add: [{ id: 'x', weight: 101 }] }),
      new RangeError('weight of x is 101; it must be between 0.01 and 100'),
    );
  });
});
