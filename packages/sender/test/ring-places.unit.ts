import type { Member, RingState } from '@pinwheel/membership';
import { PinwheelError, Receipts } from '@pinwheel/protocol';
import { buildRing, turnOf } from '@pinwheel/ring';
import t from 'tap';
import type { Outcome } from '../src/batch-answer.js';
import { RingPlaces } from '../src/ring-places.js';
import { FakeClock } from './kit/fake-clock.js';

const ringOf = (ids: readonly string[]) => buildRing(ids.map((id) => ({ id })));
const before = ringOf(['n1', 'n2', 'n3']);
const after = ringOf(['n2', 'n3']);

function stateOf(ring = after, previous = [before], ids = ['n1', 'n2', 'n3'], foreign = ''): RingState {
  const members = ids.map((id): [string, Member] => {
    const kind = id === foreign ? 'foreign' : 'node';
    return [id, { id, address: 'x', port: 1, wsPort: 2, weight: 1, draining: id === 'n1', kind }];
  });
  return { ring, members: new Map(members), generation: 1, index: '1', previous };
}

/** So many users whom n1 had before, and that one has now. */
function moversTo(owner: string, count: number): readonly string[] {
  const users: string[] = [];
  for (let i = 0; users.length < count; i++) {
    if (before.owner(`u${i}`) === 'n1' && after.owner(`u${i}`) === owner) users.push(`u${i}`);
  }
  return users;
}

const batchOf = (users: readonly string[]) => users.map((user) => ({ user }));

function answered(
  count: number,
  passedOn: readonly number[] = [],
  notOwner: readonly number[] = [],
  { turn = 0, fingerprint = '' } = {},
): Outcome {
  const receipts = new Receipts(count);
  for (let i = 0; i < count; i++) receipts.set(i, notOwner.includes(i) ? 'not-owner' : 'delivered', 1);
  receipts.notePassedOn(passedOn);
  return { kind: 'answered', receipts, foreignUsers: 0, fingerprint, turn };
}

function placesAfter(state = stateOf(), clock = new FakeClock(), settled = () => {}): RingPlaces {
  const places = new RingPlaces(clock.after, settled);
  places.ringChanged(stateOf(before, []));
  places.ringChanged(state);
  return places;
}

t.test('without a change of the ring a user is with its owner', async (t) => {
  const places = new RingPlaces(new FakeClock().after, () => {});
  t.equal(places.placeOf('u1'), undefined, 'there is no ring yet');
  places.ringChanged(stateOf(before, []));
  for (const user of ['u1', 'u2', 'u3']) t.equal(places.placeOf(user), before.owner(user));
  t.equal(places.answered('n1', batchOf(['u1']), answered(1, [0])), undefined, 'nothing is learned');
  places.ringChanged(stateOf(ringOf([]), [before]));
  t.equal(places.placeOf('u1'), undefined, 'nobody is in the ring');
});

t.test('behind a change the former owner is tried until it passes a user’s message on', async (t) => {
  const places = placesAfter();
  const [one = '', two = '', three = ''] = moversTo('n2', 3);
  const stayer = ['a', 'b', 'c', 'd', 'e', 'f'].find((user) => before.owner(user) === 'n3')!;
  t.same(
    [one, two, three, stayer].map((user) => places.placeOf(user)),
    ['n1', 'n1', 'n1', 'n3'],
  );
  t.equal(places.answered('n1', batchOf([one, two, three]), answered(3)), undefined, 'it has them still');
  const moved = places.answered('n1', batchOf([one, two, three]), answered(3, [1], [2]))!;
  t.same(
    [one, two, three].map((user) => moved.has(user)),
    [false, true, true],
  );
  t.same(
    [one, two, three].map((user) => places.placeOf(user)),
    ['n1', 'n2', 'n2'],
  );
  t.equal(
    places.answered('n2', batchOf([two]), answered(1, [0])),
    undefined,
    'what an owner passes on says nothing',
  );
  t.equal(places.placeOf(two), 'n2');
});

t.test('more users than are remembered have moved: those who did last are', async (t) => {
  const places = placesAfter();
  const users = moversTo('n2', 10_001);
  // others are there still: the former owner is not given up
  const stays = batchOf(moversTo('n3', 8));
  t.equal(places.placeOf(users[0]!), 'n1');
  for (const user of users) {
    places.answered('n1', batchOf([user]), answered(1, [0]));
    places.answered('n1', stays, answered(stays.length));
  }
  t.equal(places.placeOf(users.at(-1)!), 'n2');
  t.equal(places.placeOf(users[1]!), 'n2');
  t.equal(places.placeOf(users[0]!), 'n1', 'the first is asked for there once more');
  const again = places.answered('n1', batchOf([users[0]!]), answered(1, [], [0]));
  t.ok(again?.has(users[0]!), 'and then known again');
});

t.test(
  'when former owners are not tried any more, their late word that a user is away is not believed',
  async (t) => {
    const clock = new FakeClock();
    const places = placesAfter(stateOf(), clock);
    const [user = ''] = moversTo('n2', 1);
    t.equal(places.placeOf(user), 'n1');
    await clock.pass(120_000);
    t.equal(places.placeOf(user), 'n2');
    const receipts = new Receipts(1);
    receipts.set(0, 'offline');
    const late: Outcome = { kind: 'answered', receipts, foreignUsers: 0, fingerprint: '', turn: 0 };
    places.answered('n1', batchOf([user]), late);
    t.equal(receipts.status(0), 'not-owner');
  },
);

t.test('once a former owner has left most of its users they all go to their owners', async (t) => {
  const places = placesAfter();
  const users = moversTo('n2', 500);
  const [last = ''] = moversTo('n3', 1);
  let tries = 0;
  while (places.placeOf(last) === 'n1' && tries < users.length) {
    const user = users[tries++]!;
    // four of five have gone
    places.answered('n1', batchOf([user]), answered(1, tries % 5 === 0 ? [] : [0]));
  }
  t.ok(tries > 10 && tries < 200, `after ${tries} messages`);
  t.ok(users.every((user) => places.placeOf(user) === 'n2'));
  const few = placesAfter();
  for (const [i, user] of users.entries())
    few.answered('n1', batchOf([user]), answered(1, i % 5 === 0 ? [0] : []));
  t.equal(few.placeOf(last), 'n1', 'with one of five gone it is still tried');
});

t.test(
  'a former owner says how far its moves have come: nobody else is asked for who has an earlier turn',
  async (t) => {
    const places = placesAfter();
    const users = moversTo('n2', 500);
    const turn = 100;
    const early = users.filter((user) => turnOf(after.hashOf(user)) < turn);
    const late = users.filter((user) => !early.includes(user));
    t.ok(early.length > 100 && late.length > 100);
    t.ok(users.every((user) => places.placeOf(user) === 'n1'));
    const say = (said: { readonly turn: number; readonly fingerprint: string }) =>
      places.answered('n1', batchOf([late[0]!]), answered(1, [], [], said));
    t.equal(say({ turn, fingerprint: before.fingerprint }), undefined, 'of another ring it says nothing');
    const { fingerprint } = after;
    const moved = say({ turn, fingerprint })!;
    const all = (some: readonly string[], has: (user: string) => boolean): boolean => some.every(has);
    t.ok(all(early, (user) => moved.has(user) && places.placeOf(user) === 'n2'));
    t.ok(all(late, (user) => !moved.has(user) && places.placeOf(user) === 'n1'));
    t.equal(say({ turn, fingerprint }), undefined, 'that is known');
    t.equal(say({ turn: turn - 1, fingerprint }), undefined, 'nobody goes back');
    t.ok(all(early, (user) => places.placeOf(user) === 'n2'));
  },
);

t.test('a former owner that cannot be reached is not tried again', async (t) => {
  const places = placesAfter();
  const [one = '', two = ''] = moversTo('n2', 2);
  t.equal(places.placeOf(one), 'n1');
  const failed: Outcome = { kind: 'failed', error: new Error('gone') as never };
  const moved = places.answered('n1', batchOf([one]), failed)!;
  t.same(
    [one, two].map((user) => moved.has(user)),
    [true, true],
  );
  t.same(
    [one, two].map((user) => places.placeOf(user)),
    ['n2', 'n2'],
  );
  t.equal(places.answered('n1', batchOf([one]), failed), undefined, 'that is known');
});

t.test('one that has answered others of a batch is tried again, for others', async (t) => {
  const places = placesAfter();
  const [one = '', two = ''] = moversTo('n2', 2);
  const users = [one, two];
  for (const user of users) places.placeOf(user);
  const failed: Outcome = { kind: 'failed', error: new Error('late') as never, isRest: true };
  const moved = places.answered('n1', batchOf([one]), failed)!;
  t.same(
    users.map((user) => moved.has(user)),
    [true, false],
  );
  t.same(
    users.map((user) => places.placeOf(user)),
    ['n2', 'n1'],
  );
});

t.test('a former owner that has left, and foreign backends, are nobody to try', async (t) => {
  const [user = ''] = moversTo('n2', 1);
  t.equal(placesAfter(stateOf(after, [before], ['n2', 'n3'])).placeOf(user), 'n2');
  for (const foreign of ['n1', 'n2']) {
    t.equal(placesAfter(stateOf(after, [before], ['n1', 'n2', 'n3'], foreign)).placeOf(user), 'n2');
  }
});

t.test('what was learned counts for one ring', async (t) => {
  const places = placesAfter();
  const [user = ''] = moversTo('n2', 1);
  t.equal(places.placeOf(user), 'n1');
  places.answered('n1', batchOf([user]), answered(1, [0]));
  places.ringChanged(stateOf());
  t.equal(places.placeOf(user), 'n2', 'other members, the same ring');
  places.ringChanged(stateOf(before, [after]));
  t.equal(places.placeOf(user), 'n2', 'it comes back: n2 had it before');
  places.answered('n2', batchOf([user]), answered(1, [0]));
  t.equal(places.placeOf(user), 'n1');
  places.ringChanged(stateOf(after, [before]));
  t.equal(places.placeOf(user), 'n1', 'and once more');
});

t.test('after a while former owners are not tried any more', async (t) => {
  const clock = new FakeClock();
  let settled = 0;
  const places = placesAfter(stateOf(), clock, () => settled++);
  const [user = ''] = moversTo('n2', 1);
  await clock.pass(119_000);
  places.ringChanged(stateOf());
  t.same([places.placeOf(user), settled], ['n1', 0], 'other members, the same ring');
  await clock.pass(2000);
  t.same([places.placeOf(user), settled], ['n2', 1], 'and that is said');
  places.ringChanged(stateOf());
  t.equal(places.placeOf(user), 'n2');
  places.ringChanged(stateOf(before, [after]));
  t.equal(clock.pending, 1);
  places.stop();
  t.equal(clock.pending, 0);
});

t.test('a former owner by whose ring it is the owner still has not the last word', async (t) => {
  const places = placesAfter();
  const [one = '', two = ''] = moversTo('n2', 2);
  t.same(
    [one, two].map((user) => places.placeOf(user)),
    ['n1', 'n1'],
  );
  const outcome = answered(2, [1]);
  if (outcome.kind !== 'answered') throw new Error('it is answered');
  for (const i of [0, 1]) outcome.receipts.set(i, 'offline');
  places.answered('n1', batchOf([one, two]), outcome);
  t.equal(outcome.receipts.status(0), 'not-owner', 'the owner is asked');
  t.equal(outcome.receipts.status(1), 'offline', 'it was asked already');
  t.equal(places.placeOf(one), 'n2');
});

t.test('nor has one that is not tried any more, as long as an answer of it is on its way', async (t) => {
  const offline = (): Extract<Outcome, { kind: 'answered' }> => {
    const outcome = answered(1);
    if (outcome.kind !== 'answered') throw new Error('it is answered');
    outcome.receipts.set(0, 'offline');
    return outcome;
  };
  const [user = ''] = moversTo('n2', 1);
  const places = placesAfter();
  places.placeOf(user);
  places.answered('n1', batchOf([user]), { kind: 'failed', error: new Error('gone') as never });
  const late = offline();
  places.answered('n1', batchOf([user]), late);
  t.equal(late.receipts.status(0), 'not-owner');
  const ofOwner = offline();
  places.answered('n2', batchOf([user]), ofOwner);
  t.equal(ofOwner.receipts.status(0), 'offline', 'the owner has it');
});

t.test('another change of the ring', async (t) => {
  const [user = ''] = moversTo('n2', 1);
  const again = () => stateOf(ringOf(['n2', 'n3']), [before]);

  t.test('has former owners tried again that had failed, or moved on, by the one before', async (t) => {
    for (const outcome of [
      { kind: 'failed', error: new PinwheelError('unreachable', 'no') } as const,
      answered(1, [], [], { turn: 255, fingerprint: after.fingerprint }),
    ]) {
      const places = placesAfter();
      t.equal(places.placeOf(user), 'n1');
      places.answered('n1', batchOf([user]), outcome);
      t.equal(places.placeOf(user), 'n2');
      places.ringChanged(again());
      t.equal(places.placeOf(user), 'n1');
    }
  });

  t.test('has them tried for the whole time from then on', async (t) => {
    const clock = new FakeClock();
    const places = placesAfter(stateOf(), clock);
    await clock.pass(100_000);
    places.ringChanged(again());
    await clock.pass(100_000);
    t.equal(places.placeOf(user), 'n1');
    await clock.pass(21_000);
    t.equal(places.placeOf(user), 'n2');
  });
});
