import { defaultRingSettings, type RingMember } from '@pinwheel/ring';
import fc from 'fast-check';
import t from 'tap';
import { until } from '../../../test/kit/until.js';
import { inProcessMembership } from '../src/in-process.js';
import { maxRingPoints, ringRoom } from '../src/ring/ring-room.js';
import { createRingTracker } from '../src/tracker/ring-tracker.js';
import { recordedLog } from './recorded-log.js';

const idOf = (i: number) => `h${String(i).padStart(3, '0')}`;
const heavy = (count: number): RingMember[] =>
  Array.from({ length: count }, (_, i) => ({ id: idOf(i), weight: 100 }));
const idsOf = (members: readonly { readonly id: string }[]) => members.map(({ id }) => id).join(' ');

t.test('who fits is in the ring', async (t) => {
  const { members, leftOut } = ringRoom(heavy(40), defaultRingSettings);
  t.equal(members.length, 40);
  t.same(leftOut, []);
});

t.test('who does not fit is left out and named, the others are in', async (t) => {
  const { members, leftOut } = ringRoom([{ id: 'z' }, ...heavy(42)], defaultRingSettings);
  t.equal(idsOf(members), `${idsOf(heavy(40))} z`, 'a light one fits where a heavy one did not');
  t.same(
    leftOut.map(({ id }) => id),
    ['h040', 'h041'],
  );
  t.equal(
    leftOut[0]?.reason,
    'its 51200 points do not fit: the ring has 2048000 and must have at most 2097152; lower weights or virtualNodes',
  );
});

t.test('more members than a ring can have', async (t) => {
  const many = Array.from({ length: 65_537 }, (_, i) => ({ id: `m${String(i).padStart(5, '0')}` }));
  const { members, leftOut } = ringRoom(many, { hash: 'xxhash32', virtualNodes: 1 });
  t.equal(members.length, 65_535);
  t.same(
    leftOut.map(({ id }) => id),
    ['m65535', 'm65536'],
  );
});

t.test('the decision does not depend on the order of arrival, and keeps the bound', async () => {
  const member = fc.record({
    id: fc.stringMatching(/^[a-z]{1,3}$/),
    weight: fc.double({ min: 0.01, max: 100, noNaN: true }),
  });
  const list = fc.uniqueArray(member, { selector: ({ id }) => id, maxLength: 30 });
  const settings = { hash: 'xxhash32', virtualNodes: 4096 } as const;
  fc.assert(
    fc.property(
      list.chain((all) => fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length }))),
      ([all, shuffled]) => {
        const room = ringRoom(all, settings);
        const points = room.members.reduce((sum, { weight = 1 }) => sum + Math.round(weight * 4096), 0);
        const same = JSON.stringify(room) === JSON.stringify(ringRoom(shuffled, settings));
        return same && points <= maxRingPoints && room.members.length + room.leftOut.length === all.length;
      },
    ),
  );
});

t.test('a ring that overflows goes on following its source', async (t) => {
  const membership = inProcessMembership();
  const log = recordedLog();
  const options = { membership, joinQuietMs: 20, joinLongestMs: 100 } as const;
  const tracker = createRingTracker({ ...options, log, probe: async () => 'unreachable' });
  t.teardown(() => tracker.close());
  membership.set({ id: 'a', port: 7000 });
  await tracker.start();
  for (const { id, weight = 1 } of heavy(90)) membership.set({ id, port: 7001, weight });
  await until('as many as fit', () => tracker.current.ring.members.length === 41);

  await t.test('those left out are named, can be reached and do not freeze it', async (t) => {
    const { ignored, frozen } = tracker.status();
    t.equal(idsOf(ignored), idsOf(heavy(90).slice(40)));
    t.match(ignored[0]?.reason, /^its 51200 points do not fit/);
    t.equal(frozen, undefined);
    t.equal(tracker.current.members.size, 91);
    t.ok(
      log.lines.some((line) => line.startsWith('a member is left out of the ring') && line.includes('h040')),
    );
  });

  await t.test('a process that hears of all at once leaves out the same ones', async (t) => {
    const other = createRingTracker(options);
    t.teardown(() => other.close());
    t.equal((await other.start()).ring.fingerprint, tracker.current.ring.fingerprint);
  });

  await t.test('one that dies leaves it, and the next one takes its room', async (t) => {
    membership.remove('h007');
    const others = heavy(41).filter(({ id }) => id !== 'h007');
    await until('h040 instead', () => idsOf(tracker.current.ring.members) === `a ${idsOf(others)}`);
    t.notOk(tracker.current.members.has('h007'));
  });
});
