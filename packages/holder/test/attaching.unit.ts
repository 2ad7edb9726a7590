import t from 'tap';
import { Cluster } from './kit/cluster.js';
import { TestClient, TestLink } from './kit/test-edge.js';
import { userState } from './kit/user-state.js';

const one = ['a'];
const two = ['a', 'b'];
const three = ['a', 'b', 'c'];

const clientOf = (cluster: Cluster, user: string, key = 'phone') =>
  new TestClient((id) => cluster.node(id), user, key);

t.test('a lone node makes a user at once', async (t) => {
  const cluster = new Cluster(one);
  const a = cluster.node('a');
  t.match(a.holder.attaching.place('alice', ''), { kind: 'here', held: { user: 'alice' } });
  t.same(cluster.network.calls, []);
});

t.test('an attach at a node that neither has the user nor owns it', async (t) => {
  const cluster = new Cluster(two);
  const [a, b] = [cluster.node('a'), cluster.node('b')];
  const user = cluster.userOf([two, 'b']);

  await t.test('is sent to the owner', async (t) => {
    const link = new TestLink(a, 'e1');
    const { fingerprint } = a.holder.ownership.state.ring;
    const session = link.attach('phone', { user, fingerprint });
    await cluster.settle();
    t.same(link.take(session), [['repin', session, 'b', '']]);
    t.equal(a.refreshes, 0);
    t.equal(a.known(user), undefined);
  });

  await t.test('by an edge with another ring: one of the two is behind, and the node looks', async (t) => {
    const link = new TestLink(a, 'e2');
    link.attach('phone', { user, fingerprint: 'another' });
    await cluster.settle();
    t.equal(a.refreshes, 1);
    t.match(a.holder.attaches.counters, { attached: 0, repinned: 2 });
  });

  await t.test('but knows where the user is: it is sent there', async (t) => {
    await a.holder.claim({ from: 'c', incarnation: 'x', users: [user] });
    cluster.ring(two, { at: ['a'], members: { c: {} } });
    const link = new TestLink(a, 'e3');
    const session = link.attach('phone', { user });
    await cluster.settle();
    t.same(link.take(session), [['repin', session, 'c', '']]);
    cluster.ring(two);
    const again = link.attach('phone', { user });
    await cluster.settle();
    t.same(link.take(again), [['repin', again, 'b', '']], 'until that one has left');
    t.equal(b.known(user), undefined);
  });
});

t.test('an attach when the ring has nobody', async (t) => {
  const cluster = new Cluster(one);
  const { holder } = cluster.node('a');
  cluster.ring([]);
  const link = new TestLink(cluster.node('a'), 'e1');

  await t.test('the edge is told to wait and to start anew', async (t) => {
    const session = link.attach('phone', { user: 'alice' });
    await cluster.settle();
    t.same(link.take(session), [['repin', session, '', '']]);
    t.same(holder.attaching.place('alice', ''), { kind: 'nowhere' });
  });

  await t.test('and the user is known to be elsewhere: likewise', async (t) => {
    await holder.claim({ from: 'b', incarnation: 'x', users: ['bob'] });
    t.same(await holder.attaching.place('bob', ''), { kind: 'nowhere' });
  });
});

t.test('whoever holds the user attaches it, whatever the ring says', async (t) => {
  const cluster = new Cluster(one);
  const user = cluster.userOf([two, 'b']);
  const a = cluster.node('a');
  a.holder.moves.change({ paused: true });
  const client = clientOf(cluster, user);
  client.attach('a');
  await cluster.settle();
  cluster.start('b', two);
  cluster.ring(two);
  const tablet = clientOf(cluster, user, 'tablet');
  tablet.attach('a');
  await cluster.settle();
  t.equal(tablet.at, 'a');
  t.equal(a.holder.foreignUsers, 1);
});

t.test('the edge gives up while the node asks around', async (t) => {
  const gives: Readonly<Record<string, (link: TestLink, session: number) => void>> = {
    'the connection is gone': (link, session) => link.say((writer) => writer.detach(session, 0)),
    'the client has left': (link, session) => link.say((writer) => writer.closed(session, 1000, '')),
    'the link is lost': (link) => link.link.gone(),
  };
  for (const [name, give] of Object.entries(gives)) {
    await t.test(name, async (t) => {
      const cluster = new Cluster(two);
      const user = cluster.userOf([two, 'a']);
      const a = cluster.node('a');
      cluster.network.fateOf = () => 'hold-answer';
      const link = new TestLink(a, 'e1');
      const session = link.attach('phone', { user });
      await cluster.settle();
      give(link, session);
      cluster.network.takeHeld().go();
      await cluster.settle();
      t.equal(a.known(user), undefined, 'nothing is left behind');
      t.same(link.take(session), []);
      t.same(a.work.begun, []);
    });
  }
});

t.test('two sessions come while the node asks around: one user for both', async (t) => {
  const cluster = new Cluster(two);
  const user = cluster.userOf([two, 'a']);
  cluster.network.fateOf = () => 'hold-answer';
  const clients = ['phone', 'tablet'].map((key) => clientOf(cluster, user, key));
  for (const client of clients) client.attach('a');
  await cluster.settle();
  t.same(cluster.network.made('claim'), ['a>b']);
  cluster.network.takeHeld().go();
  await cluster.settle();
  t.same(
    clients.map(({ at }) => at),
    ['a', 'a'],
  );
  t.equal(cluster.node('a').held(user).sessions.length, 2);
});

t.test(
  'the ring changes while the node asks around: the session goes where it belongs by then',
  async (t) => {
    const cluster = new Cluster(two);
    const user = cluster.userOf([two, 'a'], [three, 'c']);
    const a = cluster.node('a');
    cluster.network.fateOf = ({ to }) => (to === 'b' ? 'hold-answer' : 'pass');
    const client = clientOf(cluster, user);
    client.attach('a');
    await cluster.settle();
    cluster.start('c', three);
    cluster.ring(three);
    cluster.network.takeHeld().go();
    cluster.network.fateOf = () => 'pass';
    await cluster.until('the client is attached', () => client.at !== undefined);
    t.equal(client.at, 'c');
    t.same(client.repinned, ['c']);
    t.equal(a.known(user), 'released', 'c has asked');
    t.same([a.work.begun, client.recovered], [[], [true]], 'it was at c alone');
  },
);

t.test('another member is there when the others have been asked: it is asked, too', async (t) => {
  const cluster = new Cluster(two);
  const user = cluster.userOf([two, 'a'], [three, 'a']);
  const a = cluster.node('a');
  cluster.network.fateOf = ({ to }) => (to === 'b' ? 'hold-answer' : 'pass');
  clientOf(cluster, user).attach('a');
  await cluster.settle();
  cluster.start('c', three);
  cluster.ring(three);
  cluster.network.fateOf = () => 'pass';
  t.equal(a.known(user), undefined);
  cluster.network.takeHeld().go();
  await cluster.settle();
  t.same(
    cluster.network.made('claim').filter((call) => call.startsWith('a>c')),
    ['a>c'],
  );
  t.equal(a.known(user), 'held');
});

t.test('a user is on its way again by the time of the answer: the session follows it', async (t) => {
  const cluster = new Cluster(two);
  const user = cluster.userOf([two, 'a'], [three, 'c']);
  const phone = clientOf(cluster, user);
  phone.attach('a');
  await cluster.until('the client is attached', () => phone.at === 'a');
  cluster.start('c', three);
  cluster.network.fateOf = ({ kind }) => (kind === 'prepare' ? 'hold-answer' : 'pass');
  cluster.ring(three);
  await cluster.until('the user is on its way', () => cluster.network.held.length === 1);
  const tablet = clientOf(cluster, user, 'tablet');
  tablet.attach('a');
  await cluster.settle();
  // thawed and frozen again before the tablet has had its turn
  const held = cluster.node('a').held(user);
  held.thaw();
  held.freeze();
  await cluster.settle();
  t.equal(tablet.at, undefined);
  held.thaw();
  await cluster.settle();
  t.equal(tablet.at, 'a');
});

t.test(
  'of two that waited the application refuses one: the other is of a user who is remembered',
  async (t) => {
    const cluster = new Cluster(one);
    const a = cluster.node('a');
    a.work.began = (session) => {
      if (session.id === 'phone') session.close({ code: 4502, name: 'refused' }, 'no');
    };
    const held = a.holder.users.hold('alice', 1);
    held.freeze();
    const [phone, tablet] = ['phone', 'tablet'].map((key) => clientOf(cluster, 'alice', key)) as [
      TestClient,
      TestClient,
    ];
    phone.attach('a');
    tablet.attach('a');
    held.thaw();
    await cluster.settle();
    t.match(phone.closed, { code: 4502 });
    t.equal(tablet.at, 'a');
    t.same(a.send('alice', 'x'), ['delivered']);
    await cluster.settle();
    t.same(tablet.texts, ['x']);
  },
);

t.test('a user that is always on its way: the edge is told to start anew', async (t) => {
  const cluster = new Cluster(one);
  const a = cluster.node('a');
  const held = a.holder.users.hold('alice', 1);
  held.freeze();
  const placing = a.holder.attaching.place('alice', '');
  for (let i = 0; i < 8; i++) {
    await cluster.settle();
    held.thaw();
    held.freeze();
  }
  t.same(await placing, { kind: 'nowhere' });
});

t.test('a session is refused because a newer connection of it is here', async (t) => {
  const cluster = new Cluster(one);
  const a = cluster.node('a');
  const [older, newer] = [new TestLink(a, 'e1'), new TestLink(a, 'e2')];
  newer.attach('phone', { user: 'alice', epoch: 2 });
  const session = older.attach('phone', { user: 'alice', epoch: 1 });
  await cluster.settle();
  t.same(older.take(session), [['close', session, 4505, 'a newer connection of this session']]);
  t.match(a.holder.attaches.counters, { attached: 1, superseded: 1 });
  t.equal(a.held('alice').sessions.length, 1);
});

t.test('two connections of a session that count alike: the one that came first is closed', async (t) => {
  const cluster = new Cluster(one);
  const a = cluster.node('a');
  const [first, second] = [new TestLink(a, 'e1'), new TestLink(a, 'e2')];
  const before = first.attach('phone', { user: 'alice', epoch: 1 });
  const after = second.attach('phone', { user: 'alice', epoch: 1 });
  await cluster.settle();
  t.same(first.take(before).at(-1), ['close', before, 4505, 'a newer connection of this session']);
  t.match(second.take(after), [['attached', after]]);
  t.equal(a.held('alice').sessions.length, 1);
});

t.test('the application hears of a session once', async (t) => {
  const cluster = new Cluster(one);
  const a = cluster.node('a');
  const client = clientOf(cluster, 'alice');
  client.attach('a');
  await cluster.settle();
  client.cut();
  client.attach('a');
  await cluster.settle();
  t.same(a.work.begun, ['phone']);
  t.match(a.holder.attaches.counters, { attached: 2, recovered: 1, notRecovered: 0 });
  client.close();
  t.same(a.work.endings, [{ session: 'phone', code: 1000, reason: 'left' }]);
});

t.test('the application refuses a session at once: its user is forgotten', async (t) => {
  const cluster = new Cluster(one);
  const a = cluster.node('a');
  a.work.began = (session) => session.close({ code: 4502, name: 'refused' }, 'no');
  const client = clientOf(cluster, 'alice');
  client.attach('a');
  await cluster.settle();
  t.same(client.closed, { code: 4502, reason: 'no' });
  t.equal(a.known('alice'), undefined);
  t.equal(a.holder.foreignUsers, 0);
});

t.test('many wait for what became of one copy: its source is asked once, and all wait', async (t) => {
  const cluster = new Cluster(two);
  const user = cluster.userOf([two, 'b']);
  const [a, b] = [cluster.node('a'), cluster.node('b')];
  const { incarnation } = a;
  const state = userState();
  b.holder.prepare({ from: 'a', incarnation, users: [{ user, handoff: `${incarnation}-1`, state }] });
  cluster.network.fateOf = () => 'hold-answer';
  let settled = 0;
  for (let i = 0; i < 3; i++) void b.holder.attaching.settleCopy(user).then(() => settled++);
  const client = clientOf(cluster, user);
  client.attach('b');
  await cluster.settle();
  t.equal(settled, 0);
  t.same(cluster.network.made('claim'), ['b>a']);
  cluster.network.fateOf = () => 'pass';
  cluster.network.takeHeld().go();
  await cluster.settle();
  t.equal(settled, 3);
  t.equal(client.at, 'b');
});

t.test('a copy of a user that its source still serves: the session goes there', async (t) => {
  const cluster = new Cluster(one);
  const user = cluster.userOf([two, 'b']);
  const a = cluster.node('a');
  const phone = clientOf(cluster, user);
  phone.attach('a');
  await cluster.settle();
  const b = cluster.start('b', two);
  cluster.network.fateOf = ({ kind }) => (kind === 'prepare' ? 'lose-answer' : 'pass');
  cluster.ring(two);
  await cluster.until('b has a copy', () => b.known(user) === 'prepared');
  const tablet = clientOf(cluster, user, 'tablet');
  tablet.attach('b');
  await cluster.until('the tablet is attached', () => tablet.at !== undefined);
  t.equal(tablet.at, 'a');
  t.equal(a.held(user).sessions.length, 2);
});

t.test('a copy of a user whose source is another process that has the user, too', async (t) => {
  const cluster = new Cluster(two);
  const user = cluster.userOf([two, 'b'], [one, 'a']);
  const { incarnation } = cluster.node('a');
  const b = cluster.node('b');
  const state = userState();
  b.holder.prepare({ from: 'a', incarnation, users: [{ user, handoff: `${incarnation}-1`, state }] });
  const a = cluster.start('a', one);
  const phone = clientOf(cluster, user);
  phone.attach('a');
  await cluster.settle();
  const tablet = clientOf(cluster, user, 'tablet');
  tablet.attach('b');
  await cluster.until('the tablet is attached', () => tablet.at !== undefined);
  t.equal(tablet.at, 'a');
  t.equal(a.held(user).sessions.length, 2);
});
