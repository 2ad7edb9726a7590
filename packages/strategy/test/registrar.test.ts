import { PinwheelError } from '@pinwheel/protocol';
import t from 'tap';
import { seeded } from '../../../test/kit/seeded.js';
import { FakeClock } from '../../sender/test/kit/fake-clock.js';
import { Registrar } from '../src/index.js';
import { FakeRegistry, noFaults } from './kit/fake-registry.js';

const leaseMs = 30_000;
const overlapMs = 1000;

function stage(seed = 1) {
  const clock = new FakeClock();
  const random = seeded(seed);
  const registry = new FakeRegistry(clock, random);
  const told: string[] = [];
  const registrar = new Registrar({
    routes: registry,
    where: 'n1/a',
    leaseMs,
    clock,
    random,
    failing: ({ message }) => told.push(message),
    working: () => told.push('working'),
    refused: (user) => told.push(`refused ${user}`),
  });
  return { clock, random, registry, registrar, told };
}

function usersOf(count: number): readonly string[] {
  return Array.from({ length: count }, (_, i) => `user-${i}`);
}

t.test(
  'users come, leave and move, and writes fail: once they succeed, the registry has who is here',
  async (t) => {
    for (let seed = 1; seed <= 200; seed++) {
      const { clock, random, registry, registrar } = stage(seed);
      const here = new Set<string>();
      registry.faults = { lost: random() * 0.6, unanswered: random() * 0.6, longestMs: random() * 500 };
      for (let step = 0; step < 150; step++) {
        const user = `user-${Math.floor(random() * 12)}`;
        const what = random();
        if (what < 0.45) {
          here.add(user);
          registrar.came(user);
        } else if (here.delete(user)) {
          if (what < 0.75) registrar.left(user);
          else registrar.moved(user);
        }
        if (random() < 0.02) registrar.renewAll();
        if (random() < 0.5) await clock.pass(random() * 300);
      }
      registry.faults = noFaults;
      // the longest wait of a retry, and those who have moved
      await clock.pass(2000 + overlapMs);
      if (registry.users.join() !== [...here].sort().join()) {
        t.same(registry.users, [...here].sort(), `seed ${seed}`);
        return;
      }
      if (registrar.unwritten !== 0) t.fail(`seed ${seed}: ${registrar.unwritten} are unwritten`);
      const closed = registrar.close(1000);
      await clock.pass(1100);
      await closed;
    }
  },
);

t.test('who comes and goes in the same run of code is written once, as it is in the end', async (t) => {
  const { clock, registry, registrar } = stage();
  registrar.came('anne');
  registrar.left('anne');
  registrar.came('anne');
  registrar.came('bert');
  registrar.left('bert');
  await clock.pass(1);
  t.same(registry.writes, [{ at: 0, users: { here: ['anne'], gone: ['bert'] } }]);
});

t.test(
  'a user who has moved keeps the route here for a moment, so that there is one at any time',
  async (t) => {
    const { clock, registry, registrar } = stage();
    registrar.came('anne');
    await clock.pass(1);
    registrar.moved('anne');
    await clock.pass(overlapMs - 1);
    t.same(registry.users, ['anne'], 'it is still there');
    await clock.pass(2);
    t.same(registry.users, [], 'and goes');

    registrar.came('bert');
    await clock.pass(1);
    registrar.moved('bert');
    await clock.pass(500);
    registrar.came('bert');
    await clock.pass(overlapMs);
    t.same(registry.users, ['bert'], 'who has come back meanwhile stays');
    registrar.moved('bert');
    await clock.pass(800);
    registrar.came('bert');
    registrar.moved('bert');
    await clock.pass(800);
    t.same(registry.users, ['bert'], 'and each move has its own moment');
    await clock.pass(300);
    t.same(registry.users, []);
  },
);

t.test('every route is renewed at least every half lease, a few at a time', async (t) => {
  const { clock, registry, registrar } = stage();
  const users = usersOf(500);
  for (const user of users) registrar.came(user);
  await clock.pass(1);
  registry.writes.length = 0;
  await clock.pass(leaseMs * 3);
  const last = new Map(users.map((user) => [user, 0]));
  let longest = 0;
  for (const { at, users } of registry.writes) {
    for (const user of users.here) {
      longest = Math.max(longest, at - last.get(user)!);
      last.set(user, at);
    }
  }
  for (const at of last.values()) longest = Math.max(longest, leaseMs * 3 - at);
  t.ok(longest <= leaseMs / 2, `${longest} ms`);
  const most = Math.max(...registry.writes.map(({ users }) => users.here.length));
  t.equal(most, 25, 'a twentieth of them');
  t.ok(registrar.written >= 500 * 9, 'and they are counted');
});

t.test('two renewals in a row are lost: no route ends', async (t) => {
  const { clock, registry, registrar } = stage();
  const users = usersOf(40);
  for (const user of users) registrar.came(user);
  await clock.pass(leaseMs);
  registry.faults = { ...noFaults, lost: 1 };
  for (let ms = 0; ms < (leaseMs / 3) * 2 - 3000; ms += 100) {
    await clock.pass(100);
    if (registry.users.length < users.length) t.fail(`a route has ended after ${ms} ms`);
  }
  registry.faults = noFaults;
  for (let ms = 0; ms < leaseMs; ms += 100) {
    await clock.pass(100);
    if (registry.users.length < users.length) t.fail(`a route has ended ${ms} ms after`);
  }
});

t.test('however many come at once, a write has a thousand at most, one after the other', async (t) => {
  const { clock, registry, registrar } = stage();
  registry.faults = { ...noFaults, longestMs: 10 };
  for (const user of usersOf(3500)) registrar.came(user);
  t.equal(registrar.unwritten, 3500);
  await clock.pass(100);
  t.same(
    registry.writes.map(({ users }) => users.here.length),
    [1000, 1000, 1000, 500],
  );
  t.equal(new Set(registry.writes.map(({ at }) => at)).size, 4);
  t.equal(registrar.unwritten, 0);
  t.equal(registrar.written, 3500);
});

t.test('a registry that fails is named once, and once more when it works', async (t) => {
  const { clock, registry, registrar, told } = stage();
  registry.faults = { ...noFaults, lost: 1 };
  registrar.came('anne');
  await clock.pass(10_000);
  t.same(told, ['it did not arrive']);
  t.equal(registrar.isFailing, true);
  t.equal(registrar.unwritten, 1);
  registry.faults = noFaults;
  await clock.pass(2000);
  t.same(told, ['it did not arrive', 'working']);
  t.equal(registrar.isFailing, false);
  t.equal(registrar.unwritten, 0);
});

t.test(
  'something else is where a route belongs: it is named once, others are written, and it is tried again',
  async (t) => {
    const { clock, registry, registrar, told } = stage();
    registry.others.add('anne').add('bert');
    for (const user of ['anne', 'bert', 'carl']) registrar.came(user);
    await clock.pass(1);
    t.same(registry.users, ['carl']);
    t.same(told, ['refused anne'], 'once for all');
    t.same([registrar.unwritten, registrar.written, registrar.isFailing], [0, 1, false]);
    await clock.pass(leaseMs);
    t.same(told, ['refused anne']);
    registry.others.clear();
    await clock.pass(leaseMs / 2);
    t.same(registry.users, ['anne', 'bert', 'carl'], 'by their renewal');
    registry.others.add('dora');
    registrar.came('dora');
    await clock.pass(1);
    t.same(told, ['refused anne', 'refused dora'], 'it is news again');
    registrar.left('dora');
    await clock.pass(1);
    registrar.came('dora');
    await clock.pass(1);
    t.same(told.slice(2), ['refused dora'], 'who has left is forgotten');
  },
);

t.test('a registry that was away may have lost everything: everybody is written again', async (t) => {
  const { clock, registry, registrar } = stage();
  const users = usersOf(2500);
  for (const user of users) registrar.came(user);
  await clock.pass(1);
  registry.faults = { ...noFaults, lost: 1 };
  registry.loseEverything();
  registrar.came('who notices');
  await clock.pass(100);
  registry.faults = noFaults;
  await clock.pass(2000);
  t.equal(registry.users.length, users.length + 1, 'long before their renewal');
});

t.test('the way to this node was away: everybody is written again', async (t) => {
  const { clock, registry, registrar } = stage();
  for (const user of usersOf(50)) registrar.came(user);
  await clock.pass(1);
  registry.loseEverything();
  registrar.renewAll();
  await clock.pass(1);
  t.equal(registry.users.length, 50);
});

t.test('it is closed: nobody is here any more, those included who have just moved', async (t) => {
  const { clock, registry, registrar } = stage();
  registry.faults = { ...noFaults, longestMs: 20 };
  for (const user of usersOf(1500)) registrar.came(user);
  await clock.pass(100);
  registrar.moved('user-7');
  const closed = registrar.close(1000);
  await clock.pass(200);
  await closed;
  t.same(registry.users, []);
  t.equal(clock.pending, 0, 'and nothing is left to be done');
  registrar.came('late');
  t.equal(registrar.unwritten, 0);
  await clock.pass(leaseMs);
  t.same(registry.users, []);
});

t.test('it is closed while the registry is away: that takes no longer than it may', async (t) => {
  const { clock, registry, registrar } = stage();
  registrar.came('anne');
  await clock.pass(1);
  registry.faults = { ...noFaults, lost: 1 };
  const began = clock.now();
  let closedAt = 0;
  let left = 0;
  const closed = registrar.close(1000).then(() => {
    closedAt = clock.now();
    left = clock.pending;
  });
  await clock.pass(1100);
  await closed;
  t.ok(closedAt - began <= 5, 'it is not waited for');
  t.equal(left, 0, 'nor tried again');
  t.same(registry.users, ['anne'], 'what it could not say');
  await clock.pass(leaseMs);
  t.same(registry.users, [], 'its lease ends');
  t.equal(clock.pending, 0);
});

/** A registrar whose writes end as a test says; when each was made, and of whom. */
function scripted(end: (count: number) => Promise<void> | undefined, random = 1) {
  const clock = new FakeClock();
  const writes: { readonly at: number; readonly here: readonly string[] }[] = [];
  const registrar = new Registrar({
    routes: {
      write: async (_where, { here }) => {
        writes.push({ at: clock.now(), here });
        await end(writes.length);
        return [];
      },
    },
    where: 'n1/a',
    leaseMs: 3_600_000,
    clock,
    random: () => random,
    failing: () => {},
    working: () => {},
    refused: () => {},
  });
  return { clock, writes, registrar };
}

const fails = (code: 'unreachable' | 'deadline') => Promise.reject(new PinwheelError(code, code));

t.test('a registry that fails is tried ever later, whoever comes meanwhile', async (t) => {
  for (const part of [1, 0.5]) {
    const { clock, writes, registrar } = scripted(() => fails('unreachable'), part);
    registrar.came('anne');
    for (let i = 0; i < 1000; i++) {
      await clock.pass(10);
      registrar.came(`user-${i}`);
    }
    const waits = writes.slice(1).map(({ at }, i) => (at - writes[i]!.at) / part);
    t.same(waits.slice(0, 7), [50, 100, 200, 400, 800, 1600, 2000], 'up to a bound');
  }
});

t.test('a registry that is only slow has lost nothing: nobody is written again for that', async (t) => {
  let code: 'unreachable' | 'deadline' | undefined;
  const { clock, writes, registrar } = scripted(() => (code === undefined ? undefined : fails(code)));
  const users = usersOf(10);
  for (const user of users) registrar.came(user);
  await clock.pass(1);
  const failOnce = async (how: 'unreachable' | 'deadline'): Promise<readonly string[]> => {
    writes.length = 0;
    code = how;
    registrar.came('anne');
    await clock.pass(1);
    code = undefined;
    await clock.pass(100);
    return writes.flatMap(({ here }) => here);
  };
  t.same(await failOnce('deadline'), ['anne', 'anne']);
  t.same(new Set(await failOnce('unreachable')), new Set([...users, 'anne']), 'as for one that was away');
  t.same(await failOnce('deadline'), ['anne', 'anne'], 'which is forgotten then');
});

t.test('once it is closed nothing more is written, however much there is', async (t) => {
  const { clock, writes, registrar } = scripted(
    (): Promise<void> => new Promise((resolve) => void clock.after(100, resolve)),
  );
  for (const user of usersOf(2500)) registrar.came(user);
  const closed = registrar.close(50);
  await clock.pass(60);
  await closed;
  await clock.pass(1000);
  t.equal(writes.length, 1);
});
