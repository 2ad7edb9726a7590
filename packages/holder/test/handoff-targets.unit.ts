import t from 'tap';
import { clientOf, paused } from './kit/joined.js';

const two = ['a', 'b'];
const three = ['a', 'b', 'c'];
const four = ['a', 'b', 'c', 'd'];

/** Two users of `a` belong to `c`, which has just joined: PREPARE for the first is under way, the second waits for the next. */
async function start(owner: 'c' | 'd') {
  const cluster = paused(two);
  const first = cluster.userOf([two, 'a'], [three, 'c'], [four, 'c']);
  const users = cluster.usersOf(2, [two, 'a'], [three, 'c'], [four, owner]);
  const second = users.find((user) => user !== first)!;
  for (const user of [first, second]) {
    const client = clientOf(cluster, user);
    client.acknowledges = false;
    client.attach('a');
  }
  const a = cluster.node('a');
  await cluster.until('they are attached', () => a.holder.users.sessionCount === 2);
  a.send(first, 'kept');
  cluster.start('c', three);
  cluster.network.fateOf = ({ kind }) => (kind === 'prepare' ? 'hold-answer' : 'pass');
  cluster.ring(three);
  for (const user of [first, second]) {
    a.holder.handoffs.start(a.held(user));
    await cluster.settle();
  }
  const prepared = () => cluster.network.calls.filter(({ kind }) => kind === 'prepare');
  t.match(prepared(), [{ to: 'c', users: [first] }]);
  return { cluster, first, second, a, prepared };
}

t.test('the target leaves between its answer and the release: the user is served where it is', async (t) => {
  const { cluster, first, a } = await start('c');
  cluster.kill('c');
  cluster.ring(two);
  cluster.network.takeHeld().go();
  await cluster.settle();
  t.equal(a.known(first), 'held');
  t.match(a.holder.handoffs.counters, { released: 0, refused: 1, failed: 0 });
  t.same(a.messages(first), ['kept']);
  t.same(a.send(first, 'x'), ['delivered']);
});

t.test('another process is in its place by then: the user goes there, with what was kept', async (t) => {
  const { cluster, first, a } = await start('c');
  const c = cluster.start('c', three);
  cluster.ring(three);
  cluster.network.fateOf = () => 'pass';
  cluster.network.takeHeld().go();
  await cluster.settle();
  t.equal(a.known(first), 'held');
  a.holder.moves.change({ paused: false });
  await cluster.until('it is at c', () => cluster.holdersOf(first).join() === 'c');
  t.same(c.messages(first), ['kept']);
  t.equal(a.holder.handoffs.counters.takenBack, 0);
});

t.test(
  'the ring gives a user that waits for a call to another member: it goes to that one alone',
  async (t) => {
    const { cluster, first, second, a, prepared } = await start('d');
    cluster.start('d', four);
    cluster.ring(four);
    cluster.network.fateOf = () => 'pass';
    cluster.network.takeHeld().go();
    await cluster.pass(100);
    t.equal(a.known(second), 'held');
    a.holder.moves.change({ paused: false });
    await cluster.until('it is at d', () => cluster.holdersOf(second).join() === 'd');
    t.same(cluster.holdersOf(first), ['c']);
    t.match(prepared(), [
      { to: 'c', users: [first] },
      { to: 'd', users: [second] },
    ]);
  },
);

t.test(
  'the process of the member is another one by the time of the call: a user that waits goes there',
  async (t) => {
    const { cluster, second } = await start('c');
    const c = cluster.start('c', three);
    cluster.ring(three);
    cluster.network.fateOf = () => 'pass';
    cluster.network.takeHeld().go();
    await cluster.until('it is at c', () => cluster.holdersOf(second).join() === 'c');
    t.equal(c.holder.copies.counters.kept, 1);
  },
);
