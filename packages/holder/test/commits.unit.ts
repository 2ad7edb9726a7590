import t from 'tap';
import { Cluster } from './kit/cluster.js';
import type { CallKind, Fate } from './kit/fake-network.js';
import { clientOf, paused } from './kit/joined.js';
import { TestClient } from './kit/test-edge.js';

const two = ['a', 'b'];
const three = ['a', 'b', 'c'];

/** `a` has released a user to `c`; what becomes of its COMMITs is up to the test. */
async function release(fate: Fate | (() => Fate)) {
  const cluster = new Cluster(two);
  const user = cluster.userOf([two, 'a'], [three, 'c']);
  const client = new TestClient((id) => cluster.node(id), user, 'phone');
  client.attach('a');
  await cluster.until('the client is attached', () => client.at === 'a');
  const [a, c] = [cluster.node('a'), cluster.start('c', three)];
  // kept for somebody who is away, so that there is something to lose
  const tablet = new TestClient((id) => cluster.node(id), user, 'tablet');
  tablet.attach('a');
  await cluster.settle();
  tablet.cut();
  a.send(user, '1');
  await cluster.settle();
  // what happens to the client afterwards is not the matter here
  client.cut();
  cluster.network.fateOf = ({ kind }) =>
    kind === 'commit' ? (typeof fate === 'string' ? fate : fate()) : 'pass';
  cluster.ring(three);
  await cluster.until('a has released the user', () => a.known(user) === 'released');
  return { cluster, user, client, tablet, a, c };
}

const releasedBy = (node: Cluster['nodes'][number], user: string) => {
  const known = node.holder.users.known(user);
  return known?.kind === 'released' ? known.unacknowledged : undefined;
};

t.test('COMMIT is said until it is acknowledged', async (t) => {
  const lossy: readonly Fate[] = ['lose-request', 'lose-answer'];
  for (const fate of lossy) {
    await t.test(fate, async (t) => {
      const { cluster, user, a, c } = await release(fate);
      await cluster.pass(5000);
      t.ok(releasedBy(a, user), 'the copy is kept');
      t.equal(a.holder.foreignUsers, 1);
      t.equal(c.known(user), fate === 'lose-request' ? 'prepared' : 'held');
      const tries = cluster.network.made('commit').length;
      t.ok(tries > 5 && tries < 40, `${tries} tries`);
      cluster.network.fateOf = () => 'pass';
      await cluster.until('a has an acknowledgement', () => releasedBy(a, user) === undefined);
      t.equal(c.known(user), 'held');
      t.match(c.holder.copies.counters, { committed: 1, merged: 0 });
      t.same(c.messages(user), ['1']);
      t.equal(a.holder.foreignUsers, 0);
    });
  }
});

t.test('who comes with the handoff says it, too', async (t) => {
  const { cluster, user, tablet, a, c } = await release('lose-request');
  await cluster.settle();
  t.equal(c.known(user), 'prepared');
  tablet.attach('c', releasedBy(a, user)!.handoff);
  await cluster.settle();
  t.equal(tablet.at, 'c');
  t.same(tablet.texts, ['1']);
  t.same(tablet.recovered, [true, true]);
  t.equal(c.known(user), 'held');
  cluster.network.fateOf = () => 'pass';
  await cluster.until('a has an acknowledgement', () => releasedBy(a, user) === undefined);
  t.match(c.holder.copies.counters, { committed: 1, merged: 0 });
});

t.test(
  'who comes without the handoff: the source is asked, and says that it is the new holder’s',
  async (t) => {
    const { cluster, tablet, c } = await release('lose-request');
    tablet.attach('c');
    await cluster.settle();
    t.equal(tablet.at, 'c');
    t.same(tablet.recovered, [true, true]);
    t.same(cluster.network.made('claim').slice(-1), ['c>a']);
    t.match(c.holder.copies.counters, { committed: 1, dropped: 0 });
  },
);

t.test('the target has ended the user since: that is an acknowledgement', async (t) => {
  const { cluster, user, tablet, a, c } = await release('lose-answer');
  tablet.attach('c');
  await cluster.settle();
  for (const session of [...c.held(user).sessions]) session.close({ code: 4500, name: 'disconnected' }, '');
  t.equal(c.known(user), undefined);
  cluster.network.fateOf = () => 'pass';
  await cluster.until('a has an acknowledgement', () => releasedBy(a, user) === undefined);
  t.equal(a.known(user), 'released');
  t.equal(a.holder.handoffs.counters.takenBack, 0);
});

t.test('the target is another process by then', async (t) => {
  await t.test(
    'which knows nothing: the user is taken back, and goes there again in a new stream',
    async (t) => {
      const { cluster, user, tablet, a } = await release('lose-request');
      const before = releasedBy(a, user)!.handoff;
      const c = cluster.start('c', three);
      cluster.network.fateOf = () => 'pass';
      await cluster.until('the user has come to c', () => c.known(user) === 'held');
      await cluster.settle();
      t.equal(a.holder.handoffs.counters.takenBack, 1);
      t.equal(a.holder.moves.status.moved, 1, 'once, though it went twice');
      t.equal(c.held(user).stream, 'a-1.2');
      t.same(c.messages(user), ['1']);
      tablet.attach('c', before);
      await cluster.settle();
      t.same(tablet.texts, ['1']);
      t.same(tablet.recovered, [true, false]);
      t.same([a.holder.foreignUsers, c.holder.foreignUsers], [0, 0]);
    },
  );

  await t.test('which holds the user anew: it has not had the copy, whatever it says', async (t) => {
    const { cluster, user, tablet, a } = await release('lose-request');
    const c = cluster.start('c', three);
    c.holder.users.hold(user, c.holder.ownership.state.ring.hashOf(user));
    tablet.attach('c');
    await cluster.settle();
    t.same([tablet.at, tablet.texts], ['c', []]);
    cluster.network.fateOf = () => 'pass';
    await cluster.until('the copy has been merged', () => c.holder.copies.counters.merged === 1);
    await cluster.settle();
    t.equal(a.holder.handoffs.counters.takenBack, 1);
    t.same(tablet.texts, ['1']);
  });

  await t.test('as the members say before COMMIT could be said', async (t) => {
    const { cluster, user, a } = await release('lose-request');
    cluster.start('c', three);
    cluster.ring(three);
    t.equal(a.known(user), 'held');
    t.equal(a.holder.handoffs.counters.takenBack, 1);
  });
});

t.test('the target leaves: the user is taken back with what was kept', async (t) => {
  const { cluster, user, tablet, a } = await release('lose-request');
  cluster.kill('c');
  cluster.ring(two);
  t.same(cluster.holdersOf(user), ['a']);
  t.equal(a.holder.foreignUsers, 0, 'the ring gives the user to a');
  tablet.attach('a');
  await cluster.settle();
  t.same(tablet.texts, ['1']);
  t.same(tablet.recovered, [true, false]);
  t.same(a.send(user, '2'), ['delivered']);
  const tries = cluster.network.made('commit').length;
  await cluster.pass(10_000);
  t.equal(cluster.network.made('commit').length, tries);
});

t.test('the ring gives the user back before the target knows that it has it', async (t) => {
  const { cluster, user, tablet, a, c } = await release('lose-request');
  cluster.ring(two, { members: { c: {} } });
  t.equal(a.known(user), 'released');
  tablet.attach('a');
  await cluster.settle();
  t.same(cluster.network.made('claim').slice(-2), ['a>c', 'a>b']);
  t.same([tablet.at, tablet.texts], ['a', ['1']], 'it is taken back with what was kept');
  t.equal(a.holder.handoffs.counters.takenBack, 1);
  cluster.network.fateOf = () => 'pass';
  await cluster.until('c has given its copy up', () => c.holder.foreignUsers === 0, 120_000);
  t.same(cluster.holdersOf(user), ['a']);
});

t.test('a target that has answered is told again soon, however often it had failed before', async (t) => {
  const cluster = paused(two);
  const users = cluster.usersOf(2, [two, 'a'], [three, 'c']);
  const a = cluster.node('a');
  for (const user of users) clientOf(cluster, user).attach('a');
  await cluster.until('they are attached', () => cluster.holdersOf(users[1]!).length === 1);
  cluster.start('c', three);
  let lost = 8;
  cluster.network.fateOf = ({ kind }) => (kind === 'commit' && lost-- > 0 ? 'lose-request' : 'pass');
  cluster.ring(three);
  const { handoffs } = a.holder;
  for (const [losses, user] of [
    [8, users[0]!],
    [1, users[1]!],
  ] as const) {
    lost = losses;
    handoffs.start(a.held(user));
    await cluster.until('it was lost so often', () => lost === 0);
    if (losses > 1) await cluster.until('it was heard', () => handoffs.commits.waiting === 0);
  }
  await cluster.pass(60);
  t.equal(handoffs.commits.waiting, 0);
});

t.test('a user that is taken back while others may have it: they are asked', async (t) => {
  const cluster = new Cluster(two);
  const user = cluster.userOf([two, 'a'], [three, 'c']);
  const [a, b] = [cluster.node('a'), cluster.node('b')];
  cluster.network.fateOf = ({ kind }) => (kind === 'claim' ? 'lose-request' : 'pass');
  const client = new TestClient((id) => cluster.node(id), user, 'phone');
  client.attach('a');
  await cluster.until('the client is attached', () => client.at === 'a');
  t.same([...(a.held(user).contested ?? [])], ['b']);
  cluster.start('c', three);
  const lost: readonly CallKind[] = ['claim', 'commit'];
  cluster.network.fateOf = ({ kind }) => (lost.includes(kind) ? 'lose-request' : 'pass');
  cluster.ring(three);
  await cluster.until('a has released the user', () => a.known(user) === 'released');
  cluster.kill('c');
  cluster.ring(two);
  t.same([...(a.held(user).contested ?? [])], ['b']);
  cluster.network.fateOf = () => 'pass';
  await cluster.until('b has said that it has not got the user', () => a.held(user).contested === undefined);
  t.equal(b.known(user), 'released');
});

t.test('a node that ends says COMMIT no more', async (t) => {
  const { cluster, a } = await release('lose-request');
  a.holder.stop();
  const tries = cluster.network.made('commit').length;
  await cluster.pass(10_000);
  t.equal(cluster.network.made('commit').length, tries);
});

t.test(
  'the user has come back by the time of the acknowledgement: it counts for nothing any more',
  async (t) => {
    const { cluster, user, a, c } = await release('hold-answer');
    await cluster.until('c has the user', () => c.known(user) === 'held');
    cluster.ring(two, { members: { c: {} } });
    await cluster.until('a has a copy', () => a.known(user) === 'prepared' || a.known(user) === 'held');
    cluster.network.fateOf = () => 'pass';
    for (const call of cluster.network.held.splice(0)) call.go();
    await cluster.until('a has the user', () => a.known(user) === 'held');
    await cluster.pass(5000);
    t.same(cluster.holdersOf(user), ['a']);
    t.same([a.holder.foreignUsers, c.holder.foreignUsers], [0, 0]);
    t.same(a.messages(user), ['1']);
  },
);

t.test('a node that ends as planned says last that nobody is left: nobody is waited for then', async (t) => {
  for (const says of [true, false]) {
    const { cluster, user, a } = await release('pass');
    await cluster.until('a has an acknowledgement', () => releasedBy(a, user) === undefined);
    const gone = cluster.userOf([three, 'a'], [['b', 'c'], 'c']);
    cluster.ring(['b', 'c'], { members: { a: { draining: true } } });
    if (says) a.holder.handoffs.commits.sayLast();
    await cluster.settle();
    cluster.kill('a');
    cluster.ring(['b', 'c']);
    t.equal(cluster.node('c').holder.ownership.isAwaited(gone), !says);
  }
});
