import t from 'tap';
import { Cluster } from './kit/cluster.js';
import { DirectSession } from './kit/one-node.js';
import { TestClient } from './kit/test-edge.js';

const one = ['a'];
const two = ['a', 'b'];
const three = ['a', 'b', 'c'];

const clientOf = (cluster: Cluster, user: string, key = 'phone') =>
  new TestClient((id) => cluster.node(id), user, key);

/** Users of `a` with a client each, who belong to `b` once it is there. */
async function crowd(count: number) {
  const cluster = new Cluster(one);
  const users = cluster.usersOf(count, [two, 'b']);
  const clients = users.map((user) => clientOf(cluster, user));
  for (const client of clients) client.attach('a');
  await cluster.settle();
  return { cluster, users, clients, a: cluster.node('a') };
}

const places = (clients: readonly TestClient[]): string =>
  [...new Set(clients.map(({ at }) => at))].sort().join();

t.test('users who belong elsewhere go at the pace', async (t) => {
  const { cluster, clients, a } = await crowd(50);
  a.holder.moves.change({ usersPerSecond: 10 });
  cluster.start('b', two);
  cluster.ring(two);
  t.equal(a.holder.foreignUsers, 50);
  await cluster.pass(2000);
  const gone = clients.filter(({ at }) => at === 'b').length;
  t.ok(gone >= 18 && gone <= 24, `${gone} went in 2 s`);
  t.equal(a.holder.foreignUsers, 50 - gone);
  a.holder.moves.change({ paused: true });
  await cluster.pass(5000);
  t.equal(clients.filter(({ at }) => at === 'b').length, gone);
  a.holder.moves.change({ paused: false, usersPerSecond: 1000 });
  await cluster.until('everybody is attached at b', () => places(clients) === 'b');
  t.match(a.holder.moves.status, { waiting: 0, moved: 50 });
});

t.test('a user who is gone, or belongs here again, is off the list', async (t) => {
  const { cluster, clients, a } = await crowd(3);
  a.holder.moves.change({ paused: true });
  cluster.start('b', two);
  cluster.ring(two);
  t.equal(a.holder.moves.status.waiting, 3);
  clients[0]!.close();
  t.equal(a.holder.moves.status.waiting, 2);
  cluster.ring(one);
  t.equal(a.holder.moves.status.waiting, 0);
  t.equal(a.holder.foreignUsers, 0);
});

t.test('many users are judged a part at a time, and until then any of them may have to go', async (t) => {
  const { cluster, clients, a } = await crowd(1200);
  a.holder.moves.change({ paused: true });
  cluster.start('b', two);
  cluster.ring(two);
  const first = a.holder.moves.status.waiting;
  t.ok(first > 0 && first < 1200, `${first} are judged at once`);
  t.equal(a.holder.foreignUsers, 1200);
  // a change in between: it begins anew
  cluster.ring(one, { members: { b: {} } });
  t.equal(a.holder.foreignUsers, 1200);
  cluster.ring(two);
  clients[1199]!.close();
  await cluster.until('all of them are on the list', () => a.holder.moves.status.waiting === 1199);
  t.equal(a.holder.foreignUsers, 1199);
  cluster.ring(one, { members: { b: {} } });
  await cluster.until('nobody has to go', () => a.holder.foreignUsers === 0);
  t.equal(a.holder.moves.status.waiting, 0);
});

t.test('a user who is contested stays on the list when the last session closes', async (t) => {
  const cluster = new Cluster(two);
  const user = cluster.userOf([two, 'a'], [three, 'c']);
  const a = cluster.node('a');
  cluster.network.fateOf = ({ kind, to }) => (kind === 'claim' && to === 'b' ? 'lose-request' : 'pass');
  const client = clientOf(cluster, user);
  client.attach('a');
  await cluster.until('the client is attached', () => client.at === 'a');
  a.holder.moves.change({ paused: true });
  const c = cluster.start('c', three);
  cluster.ring(three);
  client.close();
  t.equal(a.holder.moves.status.waiting, 1);
  a.holder.moves.change({ paused: false });
  await cluster.until('c has the user', () => c.known(user) === 'held');
  cluster.network.fateOf = () => 'pass';
  await cluster.until('b has denied it, and nobody needs the user', () => c.known(user) === undefined);
});

t.test('rings a, b, a', async (t) => {
  await t.test('one after the other: the user goes and comes back, in one stream', async (t) => {
    const cluster = new Cluster(two);
    const user = cluster.userOf([one, 'a'], [two, 'b']);
    cluster.ring(one, { members: { b: {} } });
    const client = clientOf(cluster, user);
    client.attach('a');
    await cluster.settle();
    cluster.ring(two);
    await cluster.until('the client is attached at b', () => client.at === 'b');
    cluster.node('b').send(user, '1');
    cluster.ring(one, { members: { b: {} } });
    await cluster.until('the client is attached at a', () => client.at === 'a');
    cluster.node('a').send(user, '2');
    cluster.ring(two);
    await cluster.until('the client is attached at b again', () => client.at === 'b');
    t.same(client.texts, ['1', '2']);
    t.same(client.recovered, [true, true, true, true]);
    await cluster.pass(1000);
    t.same(cluster.holdersOf(user), ['b']);
    for (const { holder } of cluster.nodes) t.equal(holder.foreignUsers, 0);
  });

  await t.test('back before the handoff is over: it goes all the same, and comes back', async (t) => {
    const cluster = new Cluster(two);
    const user = cluster.userOf([one, 'a'], [two, 'b']);
    cluster.ring(one, { members: { b: {} } });
    const client = clientOf(cluster, user);
    client.attach('a');
    await cluster.settle();
    cluster.network.fateOf = ({ kind }) => (kind === 'prepare' ? 'hold-answer' : 'pass');
    cluster.ring(two);
    await cluster.until('b has a copy', () => cluster.node('b').known(user) === 'prepared');
    cluster.ring(one, { members: { b: {} } });
    cluster.network.fateOf = () => 'pass';
    cluster.network.takeHeld().go();
    await cluster.until('the client has come back', () => client.at === 'a' && client.repinned.length === 2);
    t.same(client.recovered, [true, true, true]);
    await cluster.pass(1000);
    t.same(cluster.holdersOf(user), ['a']);
  });

  await t.test('and each takes the other for the holder: the owner finds the user', async (t) => {
    const cluster = new Cluster(two);
    const user = cluster.userOf([one, 'a'], [two, 'b']);
    const [a, b] = [cluster.node('a'), cluster.node('b')];
    await a.holder.claim({ from: 'b', incarnation: b.incarnation, users: [user] });
    await b.holder.claim({ from: 'a', incarnation: a.incarnation, users: [user] });
    t.same([a.known(user), b.known(user)], ['released', 'released']);
    const client = clientOf(cluster, user);
    client.attach('b');
    await cluster.until('the client is attached', () => client.at === 'b');
    t.same(client.recovered, [true]);
  });
});

t.test('a user on its way to b, and the ring says c by then: it goes on to c', async (t) => {
  const cluster = new Cluster(one);
  const user = cluster.userOf([two, 'b'], [three, 'c']);
  const client = clientOf(cluster, user);
  client.attach('a');
  await cluster.settle();
  const b = cluster.start('b', two);
  cluster.network.fateOf = ({ kind, to }) => (kind === 'prepare' && to === 'b' ? 'hold-answer' : 'pass');
  cluster.ring(two);
  await cluster.until('b has a copy', () => b.known(user) === 'prepared');
  cluster.start('c', three);
  cluster.ring(three);

  const tablet = clientOf(cluster, user, 'tablet');
  tablet.attach('c');
  await cluster.settle();
  t.equal(tablet.at, undefined, 'c waits for the outcome');
  cluster.network.takeHeld().go();
  await cluster.until('both are attached at c', () => client.at === 'c' && tablet.at === 'c');
  await cluster.pass(1000);
  t.same(cluster.holdersOf(user), ['c']);
  t.notOk(client.recovered.includes(false));
});

t.test('a node leaves', async (t) => {
  await t.test('everybody goes, and it is left with nobody', async (t) => {
    const cluster = new Cluster(two);
    const users = [...cluster.usersOf(20, [two, 'a']), ...cluster.usersOf(20, [two, 'b'])];
    const clients = users.map((user) => clientOf(cluster, user));
    for (const client of clients)
      client.attach(cluster.node('a').holder.ownership.state.ring.owner(client.user)!);
    await cluster.until('everybody is attached', () => places(clients) === 'a,b');
    const a = cluster.node('a');
    a.isOpen = false;
    cluster.ring(['b'], { members: { a: { draining: true } } });
    a.holder.moves.leave(60_000);
    await cluster.until('everybody is attached at b', () => places(clients) === 'b');
    await cluster.pass(100);
    t.equal(a.holder.users.userCount, 0);
    t.equal(a.holder.foreignUsers, 0);
    t.notOk(clients.some(({ recovered }) => recovered.includes(false)));
  });

  await t.test('now, whatever the pace', async (t) => {
    const { cluster, clients, a } = await crowd(20);
    a.holder.moves.change({ paused: true });
    cluster.start('b', two);
    cluster.ring(['b'], { members: { a: { draining: true } } });
    a.holder.moves.leave(60_000);
    await cluster.pass(1000);
    t.equal(places(clients), 'a');
    a.holder.moves.finish();
    await cluster.pass(20);
    t.equal(places(clients), 'b');
  });

  await t.test('and nobody else is there: those whose sockets end here are told', async (t) => {
    const { cluster, users, clients, a } = await crowd(2);
    new DirectSession(a.held(users[0]!), 'd1');
    a.holder.moves.leave(60_000);
    await cluster.pass(1000);
    t.match(a.work.endings, [{ session: 'd1', code: 4000 }]);
    t.equal(places(clients), 'a', 'the others lose their link when it ends');
    t.equal(a.holder.moves.status.waiting, 0);
    cluster.ring([]);
    a.holder.moves.finish();
    await cluster.pass(1000);
    t.same(cluster.network.calls, []);
  });

  await t.test('an owner that is no node of ours takes nobody', async (t) => {
    const { cluster, clients, a } = await crowd(2);
    cluster.ring(two, { members: { b: { kind: 'foreign' } } });
    await cluster.pass(5000);
    t.equal(places(clients), 'a');
    t.equal(a.holder.foreignUsers, 2, 'they are counted all the same');
    t.same(cluster.network.calls, []);
  });

  await t.test(
    'but those whose sockets end here are told, at the pace: it is where they belong',
    async (t) => {
      const cluster = new Cluster(one);
      const { holder, work } = cluster.node('a');
      holder.moves.change({ usersPerSecond: 1 });
      for (const user of cluster.usersOf(3, [two, 'b']))
        new DirectSession(holder.users.hold(user, holder.ownership.state.ring.hashOf(user)), user);
      cluster.ring(two, { members: { b: { kind: 'foreign' } } });
      await cluster.pass(1500);
      t.ok(work.endings.length > 0 && work.endings.length < 3, `${work.endings.length} in 1.5 s`);
      await cluster.pass(3000);
      t.equal(work.endings.length, 3);
      t.ok(work.endings.every(({ code }) => code === 4000));
      t.equal(holder.foreignUsers, 0);
    },
  );
});

t.test('those who cannot go at the moment come behind those who can', async (t) => {
  const cluster = new Cluster(one);
  const stuck = cluster.usersOf(60, [three, 'b']);
  const others = cluster.usersOf(20, [three, 'c']);
  const clients = [...stuck, ...others].map((user) => clientOf(cluster, user));
  for (const client of clients) client.attach('a');
  await cluster.settle();
  const { moves } = cluster.node('a').holder;
  moves.change({ usersPerSecond: 10 });
  cluster.network.fateOf = ({ to }) => (to === 'b' ? 'lose-request' : 'pass');
  cluster.start('c', three);
  cluster.ring(three);
  // each of them is tried about every 2.5 s, which is more than there are places
  await cluster.pass(12_000);
  t.equal(places(clients.slice(stuck.length)), 'c');
});

t.test('a node that ends moves nobody any more', async (t) => {
  const { cluster, clients, a } = await crowd(5);
  a.holder.moves.change({ usersPerSecond: 1 });
  cluster.start('b', two);
  cluster.ring(two);
  a.holder.stop();
  await cluster.pass(10_000);
  t.equal(places(clients), 'a');
});

t.test('a node that ends tries nobody again', async (t) => {
  const { cluster, clients, a } = await crowd(1);
  cluster.start('b', two);
  cluster.network.fateOf = () => 'lose-request';
  cluster.ring(two);
  await cluster.until('it was tried', () => a.holder.handoffs.counters.failed === 1);
  a.holder.stop();
  cluster.network.fateOf = () => 'pass';
  await cluster.pass(10_000);
  t.equal(places(clients), 'a');
});

t.test('somebody who is not here any more cannot go', async (t) => {
  const { cluster, users, clients, a } = await crowd(1);
  cluster.start('b', two);
  cluster.ring(two);
  clients[0]!.close();
  a.holder.moves.goNow(users[0]!);
  await cluster.settle();
  t.same(cluster.network.calls, []);
});

t.test('tombstones go after their time, and no sooner than they are acknowledged', async (t) => {
  const cluster = new Cluster(one, { tombstoneMs: 20_000 });
  const user = cluster.userOf([two, 'b']);
  const a = cluster.node('a');
  const client = clientOf(cluster, user);
  client.attach('a');
  await cluster.settle();
  cluster.start('b', two);
  cluster.network.fateOf = ({ kind }) => (kind === 'commit' ? 'lose-request' : 'pass');
  cluster.ring(two);
  await cluster.until('the client is attached at b', () => client.at === 'b');
  await cluster.pass(30_000);
  t.equal(a.holder.users.tombstoneCount, 1);
  cluster.network.fateOf = () => 'pass';
  await cluster.pass(5000);
  t.equal(a.holder.users.tombstoneCount, 0);
  t.equal(a.known(user), undefined);
});
