import t from 'tap';
import { FlapDamping } from '../src/settle/flap-damping.js';
import { Freeze } from '../src/settle/freeze.js';
import { Witnesses } from '../src/settle/witnesses.js';
import { members, SettleWorld } from './settle-world.js';

const windowMs = 60_000;
const flaps = () => new FlapDamping({ windowMs, firstWaitMs: 2000, longestWaitMs: 60_000 });

t.test(
  'however often a member has died, it is forgiven in as many windows as its wait has steps',
  async (t) => {
    const damping = flaps();
    for (let i = 0; i < 100; i++) damping.departed('a', 0);
    t.equal(damping.waitMs('a', 0), 60_000);
    t.equal(damping.waitMs('a', 4 * windowMs), 4000);
    t.equal(damping.waitMs('a', 6 * windowMs), 0);
  },
);

t.test('of too many that have died the one is forgotten that did so longest ago', async (t) => {
  const damping = flaps();
  for (let i = 0; i < 4096; i++) for (let times = 0; times < 2; times++) damping.departed(`m${i}`, 0);
  damping.departed('m0', 0);
  damping.departed('new', 0);
  t.equal(damping.waitMs('m0', 0), 4000);
  t.equal(damping.waitMs('m1', 0), 0);
  t.equal(damping.waitMs('m2', 0), 2000);
});

t.test('a frozen ring', async (t) => {
  const frozen = (): Freeze => {
    const freeze = new Freeze(0.5);
    freeze.look(3, 1, 1);
    t.match(freeze.reason, /3 of 4 members vanished/);
    freeze.tookOut('a');
    freeze.tookOut('b');
    freeze.look(1, 1, 1);
    t.match(freeze.reason, /of whom 2 were found to be gone/);
    return freeze;
  };

  t.test('follows when of those that were found to be gone enough are listed again', async (t) => {
    const freeze = frozen();
    freeze.listed('a');
    t.equal(freeze.look(1, 2, 2), true);
    t.equal(freeze.reason, undefined);
  });

  t.test('that follows again knows nothing of those that were gone before', async (t) => {
    const freeze = frozen();
    t.equal(freeze.look(0, 4, 4), true);
    freeze.look(1, 3, 3);
    t.equal(freeze.reason, undefined);
    freeze.look(2, 2, 2);
    t.equal(freeze.reason, undefined, 'two of four are not more than half');
  });
});

t.test('nobody is asked to bear witness within a second of an answer', async (t) => {
  const witnesses = new Witnesses(() => 0);
  const standings = members('a', 'b').map((member) => ({ kind: 'counted', member }) as const);
  t.equal(witnesses.toAsk(standings, 0).length, 2);
  witnesses.answered(5000);
  t.same(witnesses.toAsk(standings, 5999), []);
  t.equal(witnesses.toAsk(standings, 6000).length, 2);
});

t.test(
  'a source that is asked for and cannot be read is waited for, and not asked again at once',
  async (t) => {
    const world = new SettleWorld();
    world.view(members('a', 'b', 'c'));
    world.isRead = false;
    world.view(members('a', 'b'));
    world.run(10_100);
    t.equal(world.settle.takeRead(world.now), true);
    t.equal(world.settle.takeRead(world.now), false);
    t.ok((world.settle.dueAt ?? Number.POSITIVE_INFINITY) > world.now);
  },
);

t.test('a question that could not be asked leaves what was found before', async (t) => {
  const world = new SettleWorld();
  const silences = (): number => world.probed.filter(({ outcome }) => outcome === 'unreachable').length;
  const isReachable = (): boolean => world.settle.reachable.some(({ id }) => id === 'c');
  world.view(members('a', 'b', 'c'));
  world.view(members('a', 'b'));
  world.run(12_000);
  t.equal(world.ring, 'a b');
  t.ok(isReachable(), 'it answers still');
  world.dead('c');
  for (let i = 0; i < 10_000 && silences() < 2; i++) world.run(10);
  world.truth.set('c', 'unasked');
  world.run(5000);
  t.ok(isReachable());
  world.dead('c');
  for (let i = 0; i < 10_000 && silences() < 3; i++) world.run(10);
  t.notOk(isReachable(), 'nobody was there three times in a row');
});

t.test('one that lingers and answers now and then is there', async (t) => {
  const world = new SettleWorld();
  world.view(members('a', 'b', 'c'));
  world.view(members('a', 'b'));
  world.run(12_000);
  for (let times = 0; times < 4; times++) {
    for (const outcome of ['unreachable', 'alive'] as const) {
      world.truth.set('c', outcome);
      const { length } = world.probed;
      for (let i = 0; i < 10_000 && !world.probed.slice(length).some((one) => one.outcome === outcome); i++)
        world.run(10);
    }
  }
  t.ok(world.settle.reachable.some(({ id }) => id === 'c'));
});

t.test('who could not be asked bears no witness', async (t) => {
  const world = new SettleWorld();
  world.view(members('a', 'b', 'c', 'd'));
  world.dead('a', 'b', 'c');
  world.truth.set('d', 'unasked');
  world.view(members('d'));
  world.run(60_000);
  t.equal(world.ring, 'a b c d');
  world.truth.delete('d');
  world.run(60_000);
  t.equal(world.ring, 'd');
});

t.test('one that was found to drain, again and again, is welcome at once', async (t) => {
  const world = new SettleWorld();
  world.view(members('a', 'b', 'c'));
  for (let times = 0; times < 3; times++) {
    world.truth.set('c', 'draining');
    world.view(members('a', 'b'));
    world.run(500);
    t.equal(world.ring, 'a b');
    world.truth.delete('c');
    world.view(members('a', 'b', 'c'));
    world.run(300);
    t.equal(world.ring, 'a b c');
  }
});

t.test('a member that an operator has accepted begins anew: its next return is free', async (t) => {
  const world = new SettleWorld();
  const dies = (): void => {
    world.dead('c');
    world.view(members('a', 'b'));
    world.run(500);
    world.truth.delete('c');
    world.view(members('a', 'b', 'c'));
    world.run(300);
  };
  world.view(members('a', 'b', 'c'));
  dies();
  dies();
  t.equal(world.ring, 'a b', 'it has to wait');
  world.accept();
  t.equal(world.ring, 'a b c');
  dies();
  t.equal(world.ring, 'a b c');
});
