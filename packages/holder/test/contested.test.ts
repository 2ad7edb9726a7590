import t from 'tap';
import { clientOf, joined, paused } from './kit/joined.js';

t.test('somebody who may have the user does not answer', async (t) => {
  const { cluster, user, client, tablet, a, c } = await joined();
  cluster.network.fateOf = ({ kind, to }) => (kind === 'claim' && to === 'a' ? 'lose-request' : 'pass');

  await t.test(
    'the session is attached in a fresh stream, and told that something may be lost',
    async (t) => {
      tablet.attach('c');
      await cluster.until('the tablet is attached', () => tablet.at === 'c');
      t.same(tablet.recovered, [true, false]);
      t.same([...(c.held(user).contested ?? [])], ['a']);
      t.same(cluster.holdersOf(user), ['a', 'c']);
      t.equal(c.holder.contested.count, 1);
      t.same(c.send(user, 'from c'), ['delivered']);
    },
  );

  await t.test('the user is not forgotten when its last session closes', async (t) => {
    tablet.close();
    t.equal(c.known(user), 'held');
    await cluster.pass(2000);
    t.equal(c.known(user), 'held');
    tablet.attach('c');
    await cluster.settle();
  });

  await t.test('whoever is silent is asked until it answers, and what it has is merged', async (t) => {
    const before = cluster.network.made('claim').length;
    await cluster.pass(20_000);
    const asked = cluster.network.made('claim').length - before;
    t.ok(asked >= 4 && asked < 30, `asked ${asked} times in 20 s`);
    cluster.network.fateOf = () => 'pass';
    await cluster.until('it has been merged', () => c.holder.copies.counters.merged === 1);
    await cluster.until('everybody is attached at c', () => client.at === 'c');
    t.equal(c.held(user).contested, undefined);
    await cluster.settle();
    t.equal(c.holder.contested.count, 0);
    t.same(cluster.holdersOf(user), ['c']);
    t.same(client.texts, ['1']);
    t.same(tablet.texts, ['from c', '1']);
    t.equal(a.known(user), 'released');
  });
});

t.test('whoever was silent', async (t) => {
  /** `c` has the user, and `a` has yet to say whether it has it, too. */
  const contested = async () => {
    const cluster = paused(['a', 'c']);
    const user = cluster.userOf([['a', 'c'], 'c'], [['c'], 'c']);
    cluster.network.fateOf = () => 'lose-request';
    const client = clientOf(cluster, user);
    client.attach('c');
    await cluster.until('the client is attached', () => client.at === 'c');
    return { cluster, user, client, c: cluster.node('c') };
  };

  await t.test('denies it', async (t) => {
    const { cluster, user, c } = await contested();
    cluster.network.fateOf = () => 'pass';
    await cluster.until('the matter is settled', () => c.held(user).contested === undefined);
    t.equal(c.holder.contested.count, 0);
  });

  await t.test('leaves', async (t) => {
    const { cluster, user, c } = await contested();
    cluster.ring(['c']);
    t.equal(c.held(user).contested, undefined);
    t.equal(c.holder.contested.count, 0);
  });

  await t.test('leaves, and the last session had closed: the user is forgotten', async (t) => {
    const { cluster, user, client, c } = await contested();
    client.close();
    t.equal(c.known(user), 'held');
    cluster.ring(['c']);
    t.equal(c.known(user), undefined);
  });

  await t.test('and stays so: the user is forgotten some time after its last session', async (t) => {
    const { cluster, user, client, c } = await contested();
    await cluster.pass(300_000);
    t.same([...(c.held(user).contested ?? [])], ['a'], 'not while it has one');
    client.close();
    await cluster.pass(30_000);
    t.equal(c.known(user), 'held', 'nor at once then');
    await cluster.pass(300_000);
    t.equal(c.known(user), undefined);
    t.equal(c.holder.contested.count, 0);
    const asked = cluster.network.made('claim').length;
    await cluster.pass(10_000);
    t.equal(cluster.network.made('claim').length, asked);
  });

  await t.test('is asked no more when this node ends', async (t) => {
    const { cluster, c } = await contested();
    c.holder.stop();
    const asked = cluster.network.made('claim').length;
    await cluster.pass(10_000);
    t.equal(cluster.network.made('claim').length, asked);
  });

  await t.test('is asked no more by a node that has handed the user over: the mark travels', async (t) => {
    const { cluster, user, client, c } = await contested();
    cluster.network.fateOf = ({ to }) => (to === 'a' ? 'lose-request' : 'pass');
    const d = cluster.start('d', ['d']);
    cluster.ring(['d'], { members: { a: {}, c: {} } });
    c.holder.moves.goNow(user);
    await cluster.until('the client is attached at d', () => client.at === 'd');
    t.same([...(d.held(user).contested ?? [])], ['a']);
    t.equal(d.holder.contested.count, 1);
    await cluster.pass(6000);
    t.equal(c.holder.contested.count, 0);
    cluster.network.fateOf = () => 'pass';
    await cluster.until('the matter is settled', () => d.held(user).contested === undefined);
  });

  await t.test('has the user itself by then: the mark says nothing of oneself', async (t) => {
    const { cluster, user, c } = await contested();
    const a = cluster.node('a');
    cluster.network.fateOf = ({ kind }) => (kind === 'claim' ? 'lose-request' : 'pass');
    cluster.ring(['a'], { members: { c: {} } });
    c.holder.moves.goNow(user);
    await cluster.until('a has the user', () => a.known(user) === 'held');
    await cluster.until('the matter is settled', () => a.held(user).contested === undefined);
    t.equal(a.holder.contested.count, 0);
  });
});
