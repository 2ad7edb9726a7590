import type { Member } from '@pinwheel/membership';
import t from 'tap';
import { type Held, LostOwners } from '../src/tunnel/lost-owners.js';
import { FakeTracker, node } from './fake-tracker.js';
import { Time } from './time.js';

const graceMs = 5000;
const n1: Member = { ...node('n1', 1001), incarnation: 'first' };
const n2: Member = { ...node('n2', 1002), incarnation: 'second' };
const copy = (member: Member, change: Partial<Member> = {}): Member => ({ ...member, ...change });

function situation(users: number, usersPerSecond = 1000) {
  const time = new Time();
  const tracker = new FakeTracker([n1, n2]);
  const tunnels = new Set<Held & { isOpen: boolean }>();
  const closed: Held[] = [];
  let walks = 0;
  const lost = new LostOwners<Held & { isOpen: boolean }>(tracker.current, {
    tunnels: () => {
      walks++;
      return tunnels;
    },
    graceMs,
    usersPerSecond,
    now: () => time.now,
    after: time.later,
    close: (tunnel) => {
      tunnel.isOpen = false;
      closed.push(tunnel);
    },
  });
  const open = (user: string, member: Member) => {
    const tunnel = { user, member, isOpen: true };
    tunnels.add(tunnel);
    lost.add(tunnel);
    return tunnel;
  };
  const all = Array.from({ length: users }, (_, i) => open(`u${i}`, i % 2 === 0 ? n1 : n2));
  const members = (...list: readonly Member[]): void => {
    tracker.set(list);
    lost.ringChanged(tracker.current);
  };
  const gone = (tunnel: Held & { isOpen: boolean }): void => {
    tunnels.delete(tunnel);
    lost.remove(tunnel);
  };
  return { time, lost, closed, open, all, members, gone, walks: () => walks };
}

t.test('a node leaves the members and its tunnels stay open', async (t) => {
  const { time, closed, members, all } = situation(200);
  members(n2);
  time.advance(graceMs - 1);
  t.equal(closed.length, 0, 'nobody is closed in the grace');
  time.advance(1000);
  t.same(
    new Set(closed),
    new Set(all.filter(({ member }) => member === n1)),
    'then all of its own, and nobody else',
  );
});

t.test('the pace', async (t) => {
  const { time, closed, members, lost } = situation(400, 50);
  members(n2);
  time.advance(graceMs + 1000);
  t.ok(Math.abs(closed.length - 50) <= 6, `${closed.length} after one second`);
  t.equal(lost.waiting, 200 - closed.length);
  lost.setPace(10_000);
  time.advance(1000);
  t.equal(closed.length, 200);
});

t.test('a member that comes back', async (t) => {
  t.test('identical, in the grace', async (t) => {
    const { time, closed, members } = situation(20);
    members(n2);
    time.advance(graceMs - 1);
    members(copy(n1), copy(n2));
    time.advance(60_000);
    t.equal(closed.length, 0);
  });
  t.test('identical, when some had their turn', async (t) => {
    const { time, closed, members, lost } = situation(200, 20);
    members(n2);
    time.advance(graceMs + 1000);
    const before = closed.length;
    t.ok(before > 10 && before < 30);
    members(copy(n1), n2);
    t.equal(lost.waiting, 0);
    time.advance(60_000);
    t.equal(closed.length, before);
  });
  t.test('and goes again, gets the whole grace again', async (t) => {
    const { time, closed, members } = situation(20);
    members(n2);
    time.advance(graceMs - 1);
    members(n1, n2);
    members(n2);
    time.advance(graceMs - 1);
    t.equal(closed.length, 0);
    time.advance(1000);
    t.equal(closed.length, 10);
  });
});

for (const [what, change, isLost] of [
  ['another incarnation', { incarnation: 'third' }, true],
  ['another address', { address: '127.0.0.2' }, true],
  ['another port for clients', { wsPort: 9 }, true],
  ['another weight', { weight: 2 }, false],
  ['the draining flag', { draining: true }, false],
] as const) {
  t.test(`the member has ${what}: its tunnels are ${isLost ? 'closed' : 'kept'}`, async (t) => {
    const { time, closed, members } = situation(20);
    members(copy(n1, change), n2);
    time.advance(60_000);
    t.equal(closed.length, isLost ? 10 : 0);
  });
}

t.test('an incarnation that nobody knows yet', async (t) => {
  const { incarnation: _, ...unheard } = n1;
  const { time, closed, members } = situation(20);
  members(unheard, n2);
  time.advance(60_000);
  t.equal(closed.length, 0, 'is no other one');
});

t.test('a tunnel that is opened to a node that has left meanwhile', async (t) => {
  const { time, closed, members, open } = situation(0);
  members(n2);
  const late = open('late', n1);
  time.advance(graceMs + 100);
  t.same(closed, [late]);
  const later = open('later', n1);
  time.advance(graceMs + 100);
  t.same(closed, [late, later]);
});

t.test('tunnels that came with many views of the members: the lost node is looked for once', async (t) => {
  const { time, closed, members, open, walks } = situation(0);
  for (let i = 0; i < 50; i++) open(`u${i}`, copy(n1));
  const other = open('other', copy(n1, { incarnation: 'third' }));
  members(copy(n1, { incarnation: 'third' }), n2);
  const before = walks();
  time.advance(graceMs + 1000);
  t.equal(closed.length, 50);
  t.equal(other.isOpen, true);
  t.equal(walks() - before, 1);
});

t.test('a user with several tunnels', async (t) => {
  const { time, closed, members, open, lost, gone } = situation(0, 1);
  const [one, two, three] = [open('u', n1), open('u', n1), open('u', n2)];
  open('v', n1);
  members(n2);
  time.advance(graceMs);
  t.equal(lost.waiting, 2, 'is one user');
  gone(one);
  time.advance(20);
  t.same(closed, [two], 'and goes at once, but for what is gone, or elsewhere');
  t.equal(three.isOpen, true);
});

t.test('users who go by themselves', async (t) => {
  const { time, closed, members, all, gone, lost } = situation(20, 1);
  members(n2);
  time.advance(graceMs);
  for (const tunnel of all) gone(tunnel);
  t.equal(lost.waiting, 0);
  time.advance(60_000);
  t.equal(closed.length, 0);
});

t.test('when it is stopped', async (t) => {
  const { time, closed, members, lost } = situation(20, 1);
  members(n2);
  lost.stop();
  time.advance(60_000);
  t.equal(closed.length, 0);
});
