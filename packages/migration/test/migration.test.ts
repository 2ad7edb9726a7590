import fc from 'fast-check';
import t from 'tap';
import { createPace, Migration } from '../src/index.js';
import { FakeTimers } from './kit/fake-timers.js';

const names = (count: number): readonly string[] => Array.from({ length: count }, (_, i) => `u${i}`);

interface More {
  readonly room?: () => number;
  /** What going brings about. */
  readonly went?: (user: string, migration: Migration) => void;
}

function start(usersPerSecond: number, { went, ...room }: More = {}) {
  const timers = new FakeTimers();
  const gone: { readonly user: string; readonly at: number }[] = [];
  const from = timers.now();
  const migration: Migration = new Migration({
    usersPerSecond,
    now: timers.now,
    after: timers.after,
    go: (user) => {
      gone.push({ user, at: timers.now() - from });
      went?.(user, migration);
    },
    ...room,
  });
  return { timers, migration, gone };
}

t.test('5,000 users at 1,000 a second take 5 s, within a tenth, evenly and in their order', async (t) => {
  const { timers, migration, gone } = start(1000);
  for (const user of names(5000)) migration.add(user);
  timers.pass(10_000);
  t.same(
    gone.map(({ user }) => user),
    names(5000),
  );
  const tookMs = gone.at(-1)?.at ?? 0;
  t.ok(tookMs >= 4500 && tookMs <= 5500, `${tookMs} ms`);
  for (let at = 0; at < 4900; at += 100) {
    const within = gone.filter((entry) => entry.at > at && entry.at <= at + 100).length;
    if (within < 80 || within > 120) t.fail(`${within} users between ${at} and ${at + 100} ms`);
  }
  t.same(migration.status, { paused: false, usersPerSecond: 1000, waiting: 0, moved: 5000 });
  t.equal(timers.pending, 0);
});

t.test('whatever the pace, no more go than there is room for, and the others keep their place', async (t) => {
  let over = 0;
  const { timers, migration, gone } = start(1_000_000, { room: () => 10 - (gone.length - over) });
  for (const user of names(25)) migration.add(user);
  timers.pass(1000);
  t.equal(gone.length, 10);
  t.equal(migration.status.waiting, 15);
  over = 3;
  timers.pass(1000);
  t.equal(gone.length, 13);
  over = 100;
  timers.pass(1000);
  t.same(
    gone.map(({ user }) => user),
    names(25),
  );
  t.equal(timers.pending, 0);
});

t.test('over paces: no second sees more than the rate and a tenth, and none much less', async () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 5000 }), (rate) => {
      const { timers, migration, gone } = start(rate);
      for (const user of names(rate * 3)) migration.add(user);
      timers.pass(2000);
      const early = gone.length;
      if (early > 2 * rate + Math.max(1, rate / 10) || early < 1.8 * rate)
        throw new Error(`${early} of ${2 * rate}`);
    }),
    { numRuns: 40 },
  );
});

t.test('a process that stood still catches up by a tenth of a second at most', async (t) => {
  const { timers, migration, gone } = start(1000);
  for (const user of names(5000)) migration.add(user);
  timers.pass(1000);
  const before = gone.length;
  timers.stall(60_000);
  t.ok(gone.length - before <= 110, `${gone.length - before} went at once`);
});

t.test('paused, nobody goes; resumed, the rest goes at the pace', async (t) => {
  const { timers, migration, gone } = start(100);
  for (const user of names(200)) migration.add(user);
  timers.pass(500);
  const before = gone.length;
  migration.change({ paused: true });
  migration.change({ paused: true });
  migration.add('late');
  timers.pass(60_000);
  t.equal(gone.length, before);
  t.equal(timers.pending, 0, 'nothing is waited for');
  t.match(migration.status, { paused: true, waiting: 201 - before });
  migration.change({ paused: false });
  timers.pass(500);
  t.ok(gone.length - before <= 61, 'what was not used while paused is not made up for');
  timers.pass(2000);
  t.equal(gone.at(-1)?.user, 'late');
  t.equal(gone.length, 201);
});

t.test('the rate can be changed on the way, both ways', async (t) => {
  const { timers, migration, gone } = start(1);
  for (const user of names(1000)) migration.add(user);
  timers.pass(3000);
  t.ok(gone.length >= 3 && gone.length <= 4);
  migration.change({ usersPerSecond: 500 });
  timers.pass(1000);
  t.ok(gone.length > 450 && gone.length < 560, `${gone.length}`);
  migration.change({ usersPerSecond: 1 });
  const before = gone.length;
  timers.pass(2000);
  t.ok(gone.length - before <= 3);
  t.equal(migration.status.usersPerSecond, 1);
});

t.test('who leaves the list does not go, who is added twice goes once, who comes back is last', async (t) => {
  const { timers, migration, gone } = start(10);
  for (const user of ['a', 'b', 'c', 'a', 'd']) migration.add(user);
  migration.delete('b');
  migration.delete('nobody');
  migration.delete('a');
  migration.add('a');
  timers.pass(5000);
  t.same(
    gone.map(({ user }) => user),
    ['c', 'd', 'a'],
  );
  migration.add('a');
  timers.pass(1000);
  t.equal(gone.length, 4, 'one that has gone may have to go again');
});

t.test('users go by their turns, and who has the same one in the order in which they came', async (t) => {
  const { timers, migration, gone } = start(10);
  t.equal(migration.turn, undefined, 'nobody waits');
  const turns = { a: 255, b: 7, c: 0, d: 7, e: 255 };
  for (const [user, turn] of Object.entries(turns)) migration.add(user, turn);
  t.equal(migration.turn, 0);
  migration.add('c', 200);
  migration.delete('c');
  t.equal(migration.turn, 7, 'a known user has kept its place');
  while (gone.length < 2) timers.pass(10);
  t.equal(migration.turn, 255);
  migration.add('f', 3);
  t.equal(migration.turn, 3, 'who comes late and has an earlier turn is next');
  timers.pass(5000);
  t.same(gone.map(({ user }) => user).join(''), 'bdfae');
  t.equal(migration.turn, undefined);
  migration.add('g', 9);
  migration.stop();
  t.equal(migration.turn, undefined);
});

t.test('who went ahead of its turn counts as moved, and only once', async (t) => {
  const { timers, migration, gone } = start(1);
  migration.add('a');
  migration.add('b');
  t.equal(migration.went('b'), true);
  t.equal(migration.went('b'), false);
  t.equal(migration.went('c'), false);
  timers.pass(5000);
  t.same(
    gone.map(({ user }) => user),
    ['a'],
  );
  t.match(migration.status, { waiting: 0, moved: 2 });
});

t.test('going may change the list: users are added, taken out, or everything is stopped', async (t) => {
  const { timers, migration, gone } = start(1000, {
    went: (user, migration) => {
      if (user === 'a') migration.delete('b');
      if (user === 'c') migration.add('d');
      if (user === 'd') migration.stop();
    },
  });
  const users = (): readonly string[] => gone.map(({ user }) => user);
  for (const user of ['a', 'b', 'c', 'e']) migration.add(user);
  migration.add('f');
  timers.pass(1000);
  t.same(users(), ['a', 'c', 'e', 'f', 'd']);
  t.equal(timers.pending, 0);
  migration.add('g');
  migration.stop();
  timers.pass(1000);
  t.notOk(users().includes('g'));
  t.equal(timers.pending, 0);
});

t.test('a pace', async (t) => {
  const timers = new FakeTimers();
  const pace = createPace({ perSecond: 10, now: timers.now });
  t.equal(pace.msUntilNext(), 0, 'a lone user goes at once');
  t.equal(pace.take(5), 1);
  t.equal(pace.take(5), 0);
  t.equal(pace.msUntilNext(), 100);
  timers.pass(50);
  t.equal(pace.msUntilNext(), 50);
  pace.pause();
  t.equal(pace.msUntilNext(), Number.POSITIVE_INFINITY);
  t.equal(pace.take(5), 0);
  timers.pass(10_000);
  pace.resume();
  pace.resume();
  t.equal(pace.msUntilNext(), 50, 'time that passed while paused earns nothing');
  pace.setRate(1000);
  t.equal(pace.perSecond, 1000);
  timers.pass(10_000);
  t.equal(pace.take(1_000_000), 100, 'a tenth of a second is saved up');
  timers.pass(10_000);
  pace.setRate(10);
  t.equal(pace.take(1_000_000), 1, 'and cut to the new rate');
  t.equal(pace.take(0), 0);
  timers.pass(50);
  pace.setRate(1000);
  t.equal(pace.msUntilNext(), 0.5, 'the time before is paid by the rate before');
  pace.setRate(10);
  timers.pass(20);
  pace.pause();
  timers.pass(10_000);
  pace.resume();
  t.equal(Math.round(pace.msUntilNext()), 30, 'what was earned before a pause is not lost');
});

t.test('a faster pace does not wait for the end of a slow one', async (t) => {
  const { timers, migration, gone } = start(0.01);
  for (const user of names(3)) migration.add(user);
  timers.pass(10);
  t.equal(gone.length, 1);
  migration.change({ usersPerSecond: 1000 });
  timers.pass(100);
  t.equal(gone.length, 3);
});

t.test('who is taken out while others go does not go', async (t) => {
  const { timers, migration, gone } = start(1000, { went: (_, migration) => migration.stop() });
  timers.pass(1000);
  for (const user of names(5)) migration.add(user);
  timers.pass(1000);
  t.same(
    gone.map(({ user }) => user),
    ['u0'],
  );
});
