import type { Member } from '@pinwheel/membership';
import { createPace } from '@pinwheel/migration';
import fc from 'fast-check';
import t from 'tap';
import { type Movable, Mover } from '../src/tunnel/mover.js';
import { FakeTracker, foreign } from './fake-tracker.js';
import { Time } from './time.js';

class Seat implements Movable {
  isOpen = true;
  readonly user: string;
  readonly hash: number;
  readonly member: Member;

  constructor(user: string, hash: number, member: Member) {
    this.user = user;
    this.hash = hash;
    this.member = member;
  }
}

const a = foreign('a', 1001);
const b = foreign('b', 1002);
const c = foreign('c', 1003);

function situation(members: readonly Member[], users: number, perSecond: number) {
  const time = new Time();
  const tracker = new FakeTracker(members);
  const closed: Seat[] = [];
  const mover = new Mover<Seat>(tracker.current, {
    usersPerSecond: perSecond,
    now: () => time.now,
    after: time.later,
    close: (seat) => {
      seat.isOpen = false;
      closed.push(seat);
    },
  });
  const seats = Array.from({ length: users }, (_, i) => {
    const user = `u${i}`;
    const { ring, members: all } = tracker.current;
    const seat = new Seat(user, ring.hashOf(user), all.get(ring.owner(user)!)!);
    mover.add(seat);
    return seat;
  });
  const change = (next: readonly Member[]): void => {
    tracker.set(next);
    mover.ringChanged(tracker.current);
  };
  return { time, tracker, mover, seats, closed, change };
}

t.test('a pace', async (t) => {
  t.test('gives as many as the rate allows, when it is asked more often than its bound is full', async () => {
    fc.assert(
      fc.property(
        // below it a bound of one user is full sooner than 90 ms
        fc.integer({ min: 100, max: 5000 }),
        fc.array(fc.integer({ min: 1, max: 90 }), { minLength: 1, maxLength: 300 }),
        (perSecond, steps) => {
          let now = 0;
          const pace = createPace({ perSecond, now: () => now });
          let given = 0;
          for (const step of steps) {
            now += step;
            given += pace.take(1_000_000);
          }
          const ideal = (now * perSecond) / 1000;
          return given <= ideal + 1 && given >= Math.floor(ideal) - 1;
        },
      ),
    );
  });

  t.test('does not catch up after a stall by more than 100 ms of its rate', async (t) => {
    let now = 0;
    const pace = createPace({ perSecond: 500, now: () => now });
    now = 60_000;
    t.equal(pace.take(10_000), 50);
  });

  t.test('says when the next may go', async (t) => {
    let now = 0;
    const pace = createPace({ perSecond: 4, now: () => now });
    t.equal(pace.take(5), 1);
    t.equal(pace.msUntilNext(), 250);
    now = 100;
    t.equal(pace.msUntilNext(), 150);
    pace.pause();
    t.equal(pace.msUntilNext(), Number.POSITIVE_INFINITY);
    now = 10_000;
    t.equal(pace.take(5), 0);
    pace.resume();
    t.equal(pace.msUntilNext(), 150, 'time in a pause earns nothing');
  });

  t.test('takes a new rate at once', async (t) => {
    let now = 0;
    const pace = createPace({ perSecond: 1000, now: () => now });
    now = 1000;
    pace.setRate(10);
    t.equal(pace.take(1000), 1, 'what the old rate had saved is cut to the new bound');
    now += 100;
    t.equal(pace.take(1000), 1);
  });
});

t.test('a member joins', async (t) => {
  const { time, tracker, mover, seats, closed, change } = situation([a, b], 2000, 500);
  change([a, b, c]);
  const moving = seats.filter((seat) => tracker.current.ring.owner(seat.user) === 'c');
  t.equal(mover.status.waiting, moving.length);
  t.same(closed, [], 'nobody at once');
  time.advance(1000);
  t.ok(Math.abs(closed.length - 500) <= 10, `${closed.length} after one second`);
  time.advance(60_000);
  t.same(new Set(closed), new Set(moving), 'those whose owner changed, and nobody else');
  t.match(mover.status, { waiting: 0, moved: moving.length, paused: false, usersPerSecond: 500 });
});

t.test('the ring comes back before a user had his turn', async (t) => {
  const { time, mover, closed, change } = situation([a, b], 2000, 100);
  change([a, b, c]);
  time.advance(1000);
  const before = closed.length;
  t.ok(before > 90 && before < 112);
  change([a, b]);
  t.equal(mover.status.waiting, 0);
  time.advance(60_000);
  t.equal(closed.length, before);
});

t.test('a user with several tunnels', async (t) => {
  const { time, tracker, mover, seats, closed, change } = situation([a, b], 300, 10);
  for (const seat of seats) {
    mover.add(new Seat(seat.user, seat.hash, seat.member));
    mover.add(new Seat(seat.user, seat.hash, seat.member));
  }
  change([a, b, c]);
  const moving = seats.filter((seat) => tracker.current.ring.owner(seat.user) === 'c').length;
  t.equal(mover.status.waiting, moving, 'is one user');
  time.advance(1000);
  t.ok(Math.abs(closed.length / 3 - 10) <= 1, 'counts once');
  const users = closed.map((seat) => seat.user);
  t.ok(
    users.every((user, i) => user === users[i - (i % 3)]),
    'and goes at once',
  );
});

t.test('the moves are paused', async (t) => {
  const { time, mover, closed, change } = situation([a, b], 1000, 100);
  change([a, b, c]);
  time.advance(500);
  mover.change({ paused: true });
  const before = closed.length;
  time.advance(60_000);
  t.equal(closed.length, before);
  t.equal(mover.status.paused, true);
  mover.change({ paused: false });
  time.advance(500);
  t.ok(Math.abs(closed.length - before - 50) <= 11);
});

t.test('a tunnel that was opened by an older ring', async (t) => {
  const { time, mover, closed, change, tracker } = situation([a, b], 0, 100);
  change([b]);
  const seat = new Seat('late', tracker.current.ring.hashOf('late'), a);
  mover.add(seat);
  time.advance(1000);
  t.same(closed, [seat]);
});

t.test('a user who goes by himself', async (t) => {
  const { time, mover, seats, closed, change } = situation([a, b], 100, 1);
  change([c]);
  for (const seat of seats) mover.remove(seat);
  time.advance(60_000);
  t.equal(closed.length, 0);
  t.match(mover.status, { waiting: 0, foreign: 0 });
});

t.test('an empty ring moves nobody', async (t) => {
  const { time, closed, change } = situation([a, b], 100, 100);
  change([]);
  time.advance(60_000);
  t.equal(closed.length, 0);
});

t.test('a backend that keeps its id and comes back elsewhere', async (t) => {
  const { time, closed, change } = situation([a], 10, 100);
  change([foreign('a', 2001)]);
  time.advance(60_000);
  t.equal(closed.length, 10);
});
