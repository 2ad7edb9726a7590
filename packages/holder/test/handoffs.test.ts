import { closeCodes } from '@pinwheel/protocol';
import t from 'tap';
import { Cluster } from './kit/cluster.js';
import { FakeLink } from './kit/fake-link.js';
import { attach, DirectSession } from './kit/one-node.js';
import { TestClient, TestLink } from './kit/test-edge.js';

const two = ['a', 'b'];
const three = ['a', 'b', 'c'];

/** `alice` is with `a` and has a client there; `c` is about to join and will own her. */
async function start(limits = {}) {
  const cluster = new Cluster(two, limits);
  const user = cluster.userOf([two, 'a'], [three, 'c']);
  const client = new TestClient((id) => cluster.node(id), user, 'phone');
  client.attach('a');
  await cluster.until('the client is attached', () => client.at === 'a');
  const [a, c] = [cluster.node('a'), cluster.start('c', three)];
  const join = () => cluster.ring(three);
  return { cluster, user, client, a, c, join };
}

/** Alice belongs to `c`, and goes when the application is done with her message. */
async function startBusy(limits = {}) {
  const situation = await start(limits);
  const { cluster, user, client, a, join } = situation;
  a.work.begin(user);
  join();
  await cluster.until('it waits for the application', () => a.work.turns.length === 1);
  /** Her last session ends, and she is there again with another one. */
  const comesAnew = (): void => {
    client.close();
    const { state } = a.holder.ownership;
    attach(a.holder.users.hold(user, state.ring.hashOf(user)), new FakeLink(), 'tablet');
  };
  return { ...situation, comesAnew };
}

t.test('a user goes to its owner, and its client notices nothing', async (t) => {
  const { cluster, user, client, a, c, join } = await start();
  a.send(user, '1', '2');
  client.send('hello');
  await cluster.settle();
  join();
  t.equal(a.holder.foreignUsers, 1);
  await cluster.until('the client is attached at c', () => client.at === 'c');
  await cluster.pass(100);

  await t.test('in the same stream, without a gap, to the member that REPIN named', async (t) => {
    t.same(client.repinned, ['c']);
    t.same(client.recovered, [true, true]);
    t.equal(client.position?.stream, 'a-1.1');
    t.same(c.send(user, '3'), ['delivered']);
    await cluster.settle();
    t.same(client.texts, ['1', '2', '3']);
  });

  await t.test('and the application goes on where it was', async (t) => {
    client.send('again');
    t.same(
      c.work.received.map(({ number, text }) => [number, text]),
      [[2, 'again']],
    );
    t.same(c.work.begun, [], 'it does not hear of the session again');
    t.same(a.work.endings, []);
    t.same(a.work.turns, [`${user} held`, `${user} left`]);
  });

  await t.test('and the holder before knows where it is', async (t) => {
    t.same(cluster.holdersOf(user), ['c']);
    t.match(a.holder.users.known(user), { kind: 'released', to: 'c', unacknowledged: undefined });
    t.match(a.holder.handoffs.counters, { started: 1, released: 1, refused: 0, failed: 0, takenBack: 0 });
    t.match(c.holder.copies.counters, { kept: 1, committed: 1, merged: 0 });
    t.equal(a.holder.budget.bytes, 0);
    t.same([a.holder.foreignUsers, c.holder.foreignUsers], [0, 0]);
    t.same([a.holder.users.sessionCount, c.holder.users.sessionCount], [0, 1]);
  });
});

t.test('while a user is on its way', async (t) => {
  await t.test('messages wait for the outcome, and the copy serves nobody', async (t) => {
    const { cluster, user, client, a, c, join } = await start();
    cluster.network.fateOf = ({ kind }) => (kind === 'prepare' ? 'hold-answer' : 'pass');
    join();
    await cluster.until('c has a copy', () => c.known(user) === 'prepared');
    t.same(a.send(user, 'x'), []);
    t.same(c.send(user, 'x'), []);
    let looked = 0;
    a.held(user).whenThawed(() => looked++);
    t.ok(a.holder.handoffs.isUnderWay(user));
    t.equal(c.holder.foreignUsers, 1);
    cluster.network.takeHeld().go();
    await cluster.until('the client is attached at c', () => client.at === 'c');
    t.equal(looked, 1);
  });

  await t.test('an attach waits, and is told where to go when the user has left', async (t) => {
    const { cluster, user, c, join } = await start();
    cluster.network.fateOf = ({ kind }) => (kind === 'prepare' ? 'hold-answer' : 'pass');
    join();
    await cluster.until('c has a copy', () => c.known(user) === 'prepared');
    const tablet = new TestClient((id) => cluster.node(id), user, 'tablet');
    tablet.attach('a');
    await cluster.settle();
    t.same([tablet.at, tablet.repinned], [undefined, []]);
    cluster.network.takeHeld().go();
    await cluster.until('the tablet is attached at c', () => tablet.at === 'c');
    t.same(tablet.repinned, ['c']);
    t.equal(c.held(user).sessions.length, 2);
  });

  await t.test('an attach waits, and is answered when the user stays', async (t) => {
    const { cluster, user, a, c, join } = await start();
    cluster.network.fateOf = ({ kind }) => (kind === 'prepare' ? 'hold-answer' : 'pass');
    join();
    await cluster.until('c has a copy', () => c.known(user) === 'prepared');
    const tablet = new TestClient((id) => cluster.node(id), user, 'tablet');
    tablet.attach('a');
    cluster.network.takeHeld().giveUp();
    await cluster.settle();
    t.equal(tablet.at, 'a');
    t.equal(a.held(user).sessions.length, 2);
  });

  await t.test('what its client sends is kept for the new holder', async (t) => {
    const { cluster, user, client, a, c, join } = await start();
    cluster.network.fateOf = ({ kind }) => (kind === 'prepare' ? 'hold-answer' : 'pass');
    a.work.isQuick = false;
    join();
    await cluster.until('c has a copy', () => c.known(user) === 'prepared');
    client.send('x');
    cluster.network.takeHeld().go();
    await cluster.until('the client is attached at c', () => client.at === 'c');
    t.equal(client.taken, 0, 'c has not taken it: the edge sends it again');
  });

  await t.test('a client that leaves is still gone afterwards', async (t) => {
    const { cluster, user, client, a, c, join } = await start();
    cluster.network.fateOf = ({ kind }) => (kind === 'prepare' ? 'hold-answer' : 'pass');
    join();
    await cluster.until('c has a copy', () => c.known(user) === 'prepared');
    client.close();
    t.equal(a.known(user), 'held');
    cluster.network.takeHeld().go();
    await cluster.pass(61_000);
    t.same(cluster.holdersOf(user), []);
    t.equal(c.known(user), undefined, 'nor a copy');
    t.equal(a.work.endings.length + c.work.endings.length, 1, 'the application hears of it once');
  });

  await t.test('so is a plain one that was away, and is closed', async (t) => {
    const { cluster, user, client, a, c, join } = await start();
    const link = new TestLink(a, 'e2');
    link.attach('plain', { user, acknowledges: false });
    link.link.gone();
    cluster.network.fateOf = ({ kind }) => (kind === 'prepare' ? 'hold-answer' : 'pass');
    join();
    await cluster.until('c has a copy', () => c.known(user) === 'prepared');
    const plain = a.holder.users.get(user)!.sessions.find(({ id }) => id === 'plain')!;
    plain.close(closeCodes.disconnected, closeCodes.disconnected.reason);
    cluster.network.fateOf = () => 'pass';
    cluster.network.takeHeld().go();
    await cluster.until('the client is attached at c', () => client.at === 'c');
    await cluster.pass(61_000);
    const ended = [...a.work.endings, ...c.work.endings].filter(({ session }) => session === 'plain');
    t.equal(ended.length, 1, 'the application hears of it once');
  });
});

t.test('the target does not take the user: it is served where it is, and tried again', async (t) => {
  await t.test('because the answer is lost, though the copy is there', async (t) => {
    const { cluster, user, client, a, c, join } = await start();
    cluster.network.fateOf = ({ kind }) => (kind === 'prepare' ? 'lose-answer' : 'pass');
    join();
    await cluster.until('it was tried', () => a.holder.handoffs.counters.failed === 1);
    t.equal(c.known(user), 'prepared');
    t.same(a.send(user, 'x'), ['delivered']);
    t.same(c.send(user, 'x'), [], 'the copy serves nobody');
    t.equal(a.holder.foreignUsers, 1, 'it has yet to go');
    t.match(a.holder.moves.status, { waiting: 1, moved: 0 });
    cluster.network.fateOf = () => 'pass';
    await cluster.until('the client is attached at c', () => client.at === 'c');
    t.match(a.holder.moves.status, { waiting: 0, moved: 1 });
    t.same(client.texts, ['x']);
    t.same(client.recovered, [true, true]);
    t.match(c.holder.copies.counters, { kept: 2, committed: 1 });
  });

  await t.test('because it refuses, until it does not', async (t) => {
    const { cluster, user, client, a, c, join } = await start();
    c.isOpen = false;
    join();
    await cluster.until('it was refused', () => a.holder.handoffs.counters.refused >= 3, 60_000);
    t.same(a.send(user, 'x'), ['delivered']);
    t.same(a.work.turns.slice(0, 2), [`${user} held`, `${user} goes on`]);
    c.isOpen = true;
    await cluster.until('the client is attached at c', () => client.at === 'c');
    t.same(client.recovered, [true, true]);
  });

  await t.test('because a plain client’s link was lost meanwhile, and it may not come along', async (t) => {
    const { cluster, user, client, a, c, join } = await start();
    const link = new TestLink(a, 'e2');
    link.attach('plain', { user, acknowledges: false });
    cluster.network.fateOf = ({ kind }) => (kind === 'prepare' ? 'hold-answer' : 'pass');
    join();
    await cluster.until('c has a copy', () => c.known(user) === 'prepared');
    client.close();
    link.link.gone();
    cluster.network.fateOf = () => 'pass';
    cluster.network.takeHeld().go();
    await cluster.settle();
    t.equal(a.known(user), 'held', 'it stays, for now');
    await cluster.until('it goes as it is then', () => c.known(user) === 'held');
    t.same(c.send(user, 'x'), ['overloaded'], 'nothing is queued for a client that nobody knows to come');
  });

  await t.test('because it is not among the members yet', async (t) => {
    const { cluster, user, client, a } = await start();
    const { ringChanged } = a.holder;
    cluster.ring(three);
    const { state } = a.holder.ownership;
    const members = new Map([...state.members].filter(([id]) => id !== 'c'));
    ringChanged.call(a.holder, { ...state, members });
    await cluster.pass(1000);
    t.equal(a.holder.foreignUsers, 1, 'it has yet to go');
    t.same(a.send(user, 'x'), ['delivered']);
    ringChanged.call(a.holder, state);
    await cluster.until('the client is attached at c', () => client.at === 'c');
  });

  await t.test('each time a little later, and never much later than 5 s', async (t) => {
    const { cluster, a, c, join } = await start();
    c.isOpen = false;
    join();
    for (let seconds = 0; seconds < 60; seconds++) {
      await cluster.pass(1000);
      const { waiting, moved } = a.holder.moves.status;
      if (waiting !== 1 || moved !== 0) t.fail(`${waiting} wait and ${moved} have moved`);
    }
    const tries = a.holder.handoffs.counters.refused;
    // half of 200 ms, 400 ms, … 5 s
    t.ok(tries > 20 && tries < 40, `${tries} tries in a minute`);
  });

  await t.test('and the ring gives it back meanwhile: nothing more happens', async (t) => {
    const { cluster, user, a, c, join } = await start();
    c.isOpen = false;
    join();
    await cluster.until('it was refused', () => a.holder.handoffs.counters.refused === 1);
    t.equal(a.holder.moves.status.waiting, 1);
    a.holder.moves.change({ paused: true });
    cluster.ring(three);
    t.equal(a.holder.moves.status.waiting, 1, 'on the list again, and to be tried again: it is one');
    a.holder.moves.change({ paused: false });
    cluster.ring(two, { members: { c: {} } });
    t.equal(a.holder.moves.status.waiting, 0);
    await cluster.pass(10_000);
    t.equal(a.holder.handoffs.counters.started, 1);
    t.equal(a.holder.foreignUsers, 0);
    t.equal(a.known(user), 'held');
  });
});

t.test('the application is at a message of the user', async (t) => {
  await t.test('which it finishes first', async (t) => {
    const { cluster, user, client, a, c, join } = await start();
    a.work.begin(user);
    join();
    await cluster.pass(1000);
    t.same(a.send(user, 'x'), ['delivered'], 'nothing is frozen yet');
    t.same(cluster.network.made('prepare'), []);
    a.work.finish(user);
    await cluster.until('the client is attached at c', () => client.at === 'c');
    t.equal(c.known(user), 'held');
  });

  await t.test('for longer than the time that it has: the user goes later', async (t) => {
    const { cluster, user, client, a, join } = await start({ quiesceMs: 3000 });
    a.work.begin(user);
    join();
    await cluster.pass(3100);
    t.same(a.work.turns, [`${user} held`, `${user} goes on`]);
    t.equal(client.at, 'a');
    t.equal(a.holder.foreignUsers, 1);
    a.work.finish(user);
    await cluster.until('the client is attached at c', () => client.at === 'c');
  });

  await t.test('and the last session ends: nobody has to go', async (t) => {
    const { cluster, user, client, a } = await startBusy();
    client.close();
    a.work.finish(user);
    await cluster.settle();
    t.same(a.work.turns, [`${user} held`, `${user} left`]);
    t.equal(a.known(user), undefined);
    t.equal(a.holder.foreignUsers, 0);
    t.same(cluster.network.made('prepare'), []);
  });

  await t.test('and the user has come anew: what waits for it is done, and it goes', async (t) => {
    const { cluster, user, a, comesAnew } = await startBusy();
    comesAnew();
    a.work.finish(user);
    await cluster.settle();
    t.same(a.work.turns, [`${user} held`, `${user} goes on`]);
    await cluster.until('it is at c', () => cluster.holdersOf(user).join() === 'c');
  });

  await t.test('for too long, and the user has come anew: it goes all the same', async (t) => {
    const { cluster, user, a, comesAnew } = await startBusy({ quiesceMs: 1000 });
    comesAnew();
    await cluster.pass(1100);
    t.same(a.work.turns, [`${user} held`, `${user} goes on`, `${user} held`]);
    a.work.finish(user);
    await cluster.until('it is at c', () => cluster.holdersOf(user).join() === 'c');
  });

  await t.test('and the ring gives the user back meanwhile: it stays', async (t) => {
    const { cluster, user, a } = await startBusy();
    cluster.ring(two, { members: { c: {} } });
    a.work.finish(user);
    await cluster.pass(1000);
    t.equal(a.known(user), 'held');
    t.equal(a.holder.foreignUsers, 0);
    t.same(cluster.network.made('prepare'), []);
  });
});

t.test('a user with sessions on the node itself', async (t) => {
  await t.test('alone: they are told to come again, and nothing travels', async (t) => {
    const cluster = new Cluster(two);
    const user = cluster.userOf([two, 'a'], [three, 'c']);
    const { holder, work } = cluster.node('a');
    const held = holder.users.hold(user, holder.ownership.state.ring.hashOf(user));
    new DirectSession(held, 'd1');
    cluster.start('c', three);
    cluster.ring(three);
    await cluster.pass(1000);
    t.same(work.endings, [{ session: 'd1', code: 4000, reason: 'moved' }]);
    t.same(cluster.network.made('prepare'), []);
    t.match(holder.users.known(user), { kind: 'released', to: 'c' });
    t.equal(holder.foreignUsers, 0);
  });

  await t.test('beside others: they are told when the state has left', async (t) => {
    const { cluster, user, client, a, join } = await start();
    new DirectSession(a.held(user), 'd1');
    cluster.network.fateOf = ({ kind }) => (kind === 'prepare' ? 'hold-answer' : 'pass');
    join();
    await cluster.until('the copy is there', () => cluster.network.held.length === 1);
    t.same(a.work.endings, []);
    cluster.network.takeHeld().go();
    await cluster.until('the client is attached at c', () => client.at === 'c');
    t.match(a.work.endings, [{ session: 'd1', code: 4000 }]);
  });
});

t.test('many users go in few calls', async (t) => {
  const cluster = new Cluster(two);
  const users = cluster.usersOf(200, [two, 'a'], [three, 'c']);
  const clients = users.map((user) => new TestClient((id) => cluster.node(id), user, 'phone'));
  for (const client of clients) client.attach('a');
  await cluster.settle();
  cluster.start('c', three);
  cluster.ring(three);
  await cluster.until('everybody is attached at c', () => clients.every(({ at }) => at === 'c'));
  const prepares = cluster.network.calls.filter(({ kind }) => kind === 'prepare');
  t.equal(
    prepares.reduce((sum, { users: moved }) => sum + moved.length, 0),
    200,
  );
  t.ok(prepares.length < 50, `${prepares.length} calls`);
});
