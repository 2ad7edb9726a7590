import type { Member, RingState } from '@pinwheel/membership';
import t from 'tap';
import { FakeClock } from '../../sender/test/kit/fake-clock.js';
import { Ownership } from '../src/moves/ownership.js';
import { buildRingOf, ringOf } from './kit/cluster.js';

const member = (id: string, fields: Partial<Member> = {}): Member => ({
  id,
  address: 'localhost',
  port: 1,
  weight: 1,
  draining: false,
  kind: 'node',
  ...fields,
});

interface World {
  readonly ring: readonly string[];
  /** Beside those in the ring. */
  readonly members?: readonly Member[];
  readonly without?: readonly string[];
  readonly previous?: readonly (readonly string[])[];
}

function stateOf({ ring, members = [], without = [], previous = [] }: World): RingState {
  const all = [...ring.filter((id) => !without.includes(id)).map((id) => member(id)), ...members];
  return {
    ring: ringOf(ring),
    members: new Map(all.map((one) => [one.id, one])),
    generation: 1,
    index: '',
    previous: previous.map(ringOf),
  };
}

const five = ['a', 'b', 'c', 'd', 'e'];
const eight = [...five, 'f', 'g', 'h'];

const userOf = (
  ring: readonly string[],
  owner: string,
  other?: readonly [readonly string[], string],
): string => {
  for (let i = 0; ; i++) {
    const user = `user-${i}`;
    if (
      ringOf(ring).owner(user) === owner &&
      (other === undefined || ringOf(other[0]).owner(user) === other[1])
    )
      return user;
  }
};

function judge(world: World, user: string) {
  const clock = new FakeClock();
  const ownership = new Ownership('a', stateOf(world), clock.now);
  const before = () => {
    const where = ownership.whereabouts(user);
    return where.kind === 'mine' ? where.before.map(({ id }) => id) : where.kind;
  };
  return { clock, ownership, before };
}

t.test('a user of somebody else', async (t) => {
  const user = userOf(five, 'b');
  t.match(judge({ ring: five }, user).ownership.whereabouts(user), { kind: 'theirs', owner: { id: 'b' } });
  t.equal(judge({ ring: five, without: ['b'] }, user).before(), 'nobody', 'whose owner cannot be reached');
  t.equal(judge({ ring: [] }, user).before(), 'nobody');
});

t.test('who may still hold a user of mine', async (t) => {
  await t.test('the next four on the ring, because a join takes users from those', async (t) => {
    const user = userOf(eight, 'a');
    const { before } = judge({ ring: eight }, user);
    t.same(before(), ringOf(eight).owners(user, 5).slice(1));
  });

  await t.test('first of all the owners by earlier rings, the newest first', async (t) => {
    const user = userOf(eight, 'a', [['f', 'g', 'h'], 'h']);
    const before = judge({ ring: eight, previous: [['f', 'g', 'h'], ['e']] }, user).before();
    t.same(before.slice(0, 2), ['h', 'e']);
    t.equal(new Set(before).size, before.length);
  });

  await t.test('and those that are draining', async (t) => {
    const user = userOf(['a'], 'a');
    const members = [member('x', { draining: true }), member('y')];
    t.same(judge({ ring: ['a'], members }, user).before(), ['x']);
  });

  await t.test('but no server that is not a node, nobody who has left, and not I', async (t) => {
    const user = userOf(['a'], 'a');
    const members = [member('x', { draining: true, kind: 'foreign' })];
    t.same(judge({ ring: ['a'], members, previous: [['a'], ['gone']] }, user).before(), []);
  });
});

t.test('a member that has said that it has no users of others', async (t) => {
  const user = userOf(five, 'a');
  const { fingerprint } = ringOf(five);

  await t.test('is not asked for a moment', async (t) => {
    const { clock, ownership, before } = judge({ ring: five }, user);
    ownership.asking('b')(fingerprint, 0);
    t.notOk(before().includes('b'));
    t.equal(before().length, 3);
    await clock.pass(249);
    t.notOk(before().includes('b'));
    await clock.pass(1);
    t.ok(before().includes('b'), 'it may have been on another ring in between');
  });

  await t.test('and says later that it has some', async (t) => {
    const { ownership, before } = judge({ ring: five }, user);
    ownership.asking('b')(fingerprint, 0);
    ownership.asking('b')(fingerprint, 1);
    t.ok(before().includes('b'));
  });

  await t.test('counts from when it was asked, not from when it answered', async (t) => {
    const { clock, ownership, before } = judge({ ring: five }, user);
    const heard = ownership.asking('b');
    await clock.pass(1000);
    heard(fingerprint, 0);
    t.ok(before().includes('b'));
  });

  await t.test('for another ring: it says nothing', async (t) => {
    const { ownership, before } = judge({ ring: five }, user);
    ownership.asking('b')('another', 0);
    t.ok(before().includes('b'));
  });

  await t.test('for a ring that has gone and come back since it was asked: it says nothing', async (t) => {
    const { ownership, before } = judge({ ring: five }, user);
    const heard = ownership.asking('b');
    ownership.asking('c')(fingerprint, 0);
    ownership.ringChanged(stateOf({ ring: eight }));
    ownership.ringChanged({ ...stateOf({ ring: five }), ring: buildRingOf(five) });
    heard(fingerprint, 0);
    t.ok(before().includes('b'));
    t.ok(before().includes('c'));
  });

  await t.test('goes on counting when only the members have changed', async (t) => {
    const { ownership, before } = judge({ ring: five }, user);
    ownership.asking('b')(fingerprint, 0);
    ownership.ringChanged(stateOf({ ring: five, members: [member('x', { draining: true })] }));
    t.notOk(before().includes('b'));
    t.ok(before().includes('x'));
  });
});

t.test('a move that lasts longer than former rings are kept', async (t) => {
  const user = userOf(eight, 'a');
  const [, , , , , far = ''] = ringOf(eight).owners(user, 8);
  const { clock, ownership, before } = judge({ ring: eight }, user);
  const others = before();
  t.notOk(others.includes(far), 'it owned the user by a ring that is forgotten');
  const { fingerprint } = ownership.state.ring;

  ownership.asking(far)(fingerprint, 3);
  await clock.pass(99_999);
  t.same(before(), others, 'while rings are kept they say who is asked');
  ownership.asking(far)(fingerprint, 2);
  await clock.pass(1);
  t.same(before(), [...others, far], 'then whoever has said all the time that it has users of others');
  ownership.ringChanged(stateOf({ ring: eight, previous: [five] }));
  t.ok(before().includes(far), 'whatever else changes');
  ownership.asking(far)(fingerprint, 0);
  await clock.pass(300);
  t.notOk(before().includes(far), 'until it has none');

  ownership.asking(far)(ownership.state.ring.fingerprint, 3);
  await clock.pass(100_000);
  t.ok(before().includes(far));
  ownership.ringChanged(stateOf({ ring: eight.filter((id) => id !== far) }));
  ownership.ringChanged(stateOf({ ring: eight }));
  t.notOk(before().includes(far), 'or has left');
});

/** `b` drains, and has just owned that user. */
function draining(user: string) {
  const { ownership } = judge({ ring: five }, user);
  const world = { ring: ['a', 'c', 'd', 'e'], previous: [five] };
  const b = member('b', { draining: true, incarnation: 'b-1' });
  ownership.ringChanged(stateOf({ ...world, members: [b] }));
  return { ownership, vanish: () => ownership.ringChanged(stateOf(world)) };
}

t.test('a member dies', async (t) => {
  const user = userOf(five, 'b', [['a', 'c', 'd', 'e'], 'a']);
  const stays = userOf(five, 'a');
  const { clock, ownership, before } = judge({ ring: five }, user);

  await t.test('its users are awaited for some time', async (t) => {
    ownership.ringChanged(stateOf({ ring: ['a', 'c', 'd', 'e'], previous: [five] }));
    t.same(before(), ownership.state.ring.owners(user, 5).slice(1), 'it is asked no more');
    t.equal(ownership.isAwaited(user), true);
    t.equal(ownership.isAwaited(stays), false, 'and nobody else');
    await clock.pass(2999);
    ownership.ringChanged(stateOf({ ring: ['a', 'c', 'd'], previous: [five] }));
    t.equal(ownership.isAwaited(user), true);
    await clock.pass(1);
    t.equal(ownership.isAwaited(user), false);
    const ofTheOther = userOf(['a', 'c', 'd', 'e'], 'e');
    t.equal(ownership.isAwaited(ofTheOther), true, 'each has its time');
  });

  await t.test(
    'so they are when it drained, and had users; and those who had yet to move to it',
    async (t) => {
      const leaving = judge({ ring: five }, user).ownership;
      const without = ['a', 'c', 'd', 'e'];
      const draining = { ring: without, previous: [five], members: [member('b', { draining: true })] };
      leaving.ringChanged(stateOf(draining));
      leaving.asking('b')(leaving.state.ring.fingerprint, 1);
      leaving.ringChanged(stateOf({ ring: without, previous: [five] }));
      t.equal(leaving.isAwaited(user), true);

      const joined = judge({ ring: five, previous: [['a', 'c']] }, user).ownership;
      const fromC = userOf(['a', 'c'], 'c', [five, 'd']);
      joined.ringChanged(stateOf({ ring: ['a', 'b', 'd', 'e'], previous: [five, ['a', 'c']] }));
      t.equal(joined.isAwaited(fromC), true, 'c had it still, perhaps');
    },
  );

  await t.test(
    'so they are when another process has come under its id, and does not count yet',
    async (t) => {
      const old = judge({ ring: ['a'], members: [member('b', { incarnation: '1' })] }, user).ownership;
      const both = { ring: ['a', 'b'], without: ['b'], members: [member('b', { incarnation: '1' })] };
      old.ringChanged(stateOf(both));
      old.ringChanged(stateOf({ ring: ['a'], members: [member('b', { incarnation: '2' })] }));
      t.equal(old.isAwaited(userOf(['a', 'b'], 'b')), true);
    },
  );

  await t.test('one that drains, or lingers, can be asked: nobody is awaited', async (t) => {
    const { ownership } = draining(user);
    t.equal(ownership.isAwaited(user), false);
  });

  await t.test('nor when it has said, before it vanished, that it ends and has nobody left', async (t) => {
    const { ownership, vanish } = draining(user);
    ownership.asking('b')(ownership.state.ring.fingerprint, 1);
    ownership.ends('b', 'b-1');
    vanish();
    t.equal(ownership.isAwaited(user), false);
  });

  await t.test('and another process that had its id before says nothing of it', async (t) => {
    const { ownership, vanish } = draining(user);
    ownership.ends('b', 'b-1');
    ownership.ends('b', 'b-0');
    vanish();
    t.equal(ownership.isAwaited(user), false);
  });

  await t.test('nor when it has said so to a question, and not otherwise since', async (t) => {
    for (const since of [0, 1]) {
      const { ownership, vanish } = draining(user);
      ownership.asking('b')(ownership.state.ring.fingerprint, 0);
      ownership.asking('b')(ownership.state.ring.fingerprint, since);
      vanish();
      t.equal(ownership.isAwaited(user), since > 0);
    }
  });

  await t.test(
    'nobody is there of whom it has said so, and else whoever cannot be reached may be',
    async (t) => {
      const { ownership, vanish } = draining(user);
      const member = ownership.state.members.get('b')!;
      t.equal(ownership.hasLeft(member), false);
      ownership.ends('b', 'b-0');
      t.equal(ownership.hasLeft(member), false, 'another process under its id has ended');
      ownership.ends('b', 'b-1');
      t.equal(ownership.hasLeft(member), true);
      ownership.asking('b')(ownership.state.ring.fingerprint, 1);
      t.equal(ownership.hasLeft(member), false);
      vanish();
      t.equal(ownership.hasLeft(member), true);
    },
  );

  await t.test('else its users are: it was killed, or cut off, before it had handed them over', async (t) => {
    const { ownership, vanish } = draining(user);
    ownership.ends('b', 'b-0');
    vanish();
    t.equal(ownership.isAwaited(user), true, 'another process under its id has ended');
    t.equal(ownership.isAwaited(stays), false);
  });
});
