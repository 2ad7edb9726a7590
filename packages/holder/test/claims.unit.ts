import t from 'tap';
import { PreparedUser } from '../src/users/known-user.js';
import type { ClusterNode } from './kit/cluster.js';
import { clientOf, joined, paused } from './kit/joined.js';
import { userState } from './kit/user-state.js';

const two = ['a', 'b'];
const three = ['a', 'b', 'c'];

const hold = ({ holder }: ClusterNode, user: string) =>
  holder.users.hold(user, holder.ownership.state.ring.hashOf(user));

t.test('a user whom nobody has', async (t) => {
  const cluster = paused(three);
  const user = cluster.userOf([three, 'b']);
  const client = clientOf(cluster, user);

  await t.test('is made when everybody who could have it denies it', async (t) => {
    client.attach('b');
    await cluster.until('the client is attached', () => client.at === 'b');
    t.same(cluster.network.made('claim').slice().sort(), ['b>a', 'b>c']);
    t.same(client.recovered, [true]);
    t.equal(cluster.node('b').held(user).contested, undefined);
  });

  await t.test('and whoever denied it knows where it is now', async (t) => {
    for (const id of ['a', 'c'])
      t.match(cluster.node(id).holder.users.known(user), { kind: 'released', to: 'b' });
    cluster.ring(['a'], { at: ['a'], members: { b: {}, c: {} } });
    cluster.network.calls.splice(0);
    const other = clientOf(cluster, user, 'tablet');
    other.attach('a');
    await cluster.until('the tablet is attached', () => other.at !== undefined);
    t.equal(other.at, 'b', 'by the ring of b it belongs there');
    t.same(cluster.network.made('claim')[0], 'a>b');
  });

  await t.test('nobody is asked twice on one ring who has no users of others', async (t) => {
    cluster.network.calls.splice(0);
    const [, second] = cluster.usersOf(2, [three, 'b']);
    const another = clientOf(cluster, second!);
    another.attach('b');
    t.equal(another.at, undefined);
    await cluster.settle();
    t.equal(another.at, 'b');
    t.same(cluster.network.made('claim'), []);
  });
});

t.test('a user who is with somebody else comes ahead of the pace', async (t) => {
  const { cluster, user, client, tablet, a, c } = await joined();
  tablet.attach('c');
  await cluster.until('both are attached at c', () => tablet.at === 'c' && client.at === 'c');
  t.same(tablet.texts, ['1']);
  t.same(tablet.recovered, [true, true]);
  t.equal(c.held(user).stream, 'a-1.1');
  t.equal(a.holder.moves.status.waiting, 0);
  t.same(cluster.holdersOf(user), ['c']);
});

t.test('a claim is answered when the handoff is over', async (t) => {
  await t.test('which it waits for when it has begun', async (t) => {
    const { cluster, user, tablet, a, c } = await joined();
    cluster.network.fateOf = ({ kind }) => (kind === 'prepare' ? 'hold-answer' : 'pass');
    a.holder.moves.goNow(user);
    await cluster.settle();
    tablet.attach('c');
    await cluster.settle();
    t.equal(tablet.at, undefined);
    t.equal(c.known(user), 'prepared');
    cluster.network.takeHeld().go();
    await cluster.until('the tablet is attached', () => tablet.at === 'c');
    t.same(tablet.recovered, [true, true]);
  });

  await t.test('but not for long while the application is at a message', async (t) => {
    const { cluster, user, tablet, a } = await joined();
    a.work.begin(user);
    tablet.attach('c');
    await cluster.pass(2900);
    t.equal(tablet.at, undefined);
    await cluster.pass(200);
    t.equal(tablet.at, 'a', 'where it goes on');
    t.same(tablet.recovered, [true, true]);
    t.same(tablet.texts, ['1']);
    t.same(cluster.holdersOf(user), ['a']);
    a.work.finish(user);
    await cluster.until('everybody is at c', () => tablet.at === 'c');
    t.same(cluster.holdersOf(user), ['c']);
  });

  await t.test('and until it is over once the user is frozen: it may go yet', async (t) => {
    const { cluster, user, tablet, a, c } = await joined();
    a.work.begin(user);
    cluster.network.fateOf = ({ kind }) => (kind === 'prepare' ? 'hold-answer' : 'pass');
    tablet.attach('c');
    await cluster.pass(2900);
    a.work.finish(user);
    await cluster.pass(1000);
    t.equal(c.known(user), 'prepared');
    t.equal(tablet.at, undefined);
    cluster.network.takeHeld().go();
    await cluster.until('the tablet is attached', () => tablet.at !== undefined);
    t.equal(tablet.at, 'c');
    t.same(tablet.recovered, [true, true]);
  });

  await t.test('and says that the user stays when it could not go', async (t) => {
    const { cluster, user, tablet, a } = await joined();
    cluster.network.fateOf = ({ kind }) => (kind === 'prepare' ? 'lose-answer' : 'pass');
    tablet.attach('c');
    await cluster.until('the tablet is attached', () => tablet.at !== undefined);
    t.equal(tablet.at, 'a');
    t.same(tablet.repinned, ['a']);
    t.same(tablet.texts, ['1']);
    t.same(cluster.holdersOf(user), ['a']);
    t.ok(a.held(user));
  });
});

t.test('the rings disagree: the holder gives the user to somebody else, and keeps it', async (t) => {
  const { cluster, user, tablet, a, c } = await joined();
  cluster.ring(two, { at: ['a'], members: { c: {} } });
  tablet.attach('c');
  await cluster.until('the tablet is attached', () => tablet.at !== undefined);
  t.equal(tablet.at, 'a');
  t.ok(a.refreshes > 0);
  t.equal(c.known(user), undefined);
  t.same(cluster.network.made('prepare'), []);
});

t.test('who has handed the user over says to whom, and that one is asked', async (t) => {
  const four = ['a', 'b', 'c', 'd'];
  const cluster = paused(two);
  const user = cluster.userOf([two, 'a'], [three, 'c'], [four, 'd']);
  const client = clientOf(cluster, user);
  client.attach('a');
  await cluster.until('the client is attached', () => client.at === 'a');
  cluster.start('c', three);
  cluster.ring(three);
  cluster.node('a').holder.moves.goNow(user);
  await cluster.until('the client is attached at c', () => client.at === 'c');
  cluster.node('c').holder.moves.change({ paused: true });
  const d = cluster.start('d', four);
  cluster.ring(four);
  // d has not heard of the ring between, and asks only whom it can think of
  cluster.network.calls.splice(0);
  cluster.network.fateOf = ({ kind, from, to }) =>
    kind === 'claim' && from === 'd' && to === 'b' ? 'lose-request' : 'pass';
  const tablet = clientOf(cluster, user, 'tablet');
  tablet.attach('d');
  await cluster.until('everybody is attached at d', () => tablet.at === 'd' && client.at === 'd');
  t.ok(cluster.network.made('claim').filter((call) => call === 'd>c').length > 0);
  t.equal(d.held(user).stream, 'a-1.1');
  t.same(cluster.holdersOf(user), ['d']);
});

t.test('a chain of those who say that it has moved is followed six times', async (t) => {
  const many = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i'];
  const cluster = paused(many);
  const user = cluster.userOf([many, 'i']);
  const { holder } = cluster.node('i');
  for (const [i, id] of many.slice(0, -1).entries()) {
    const { users } = cluster.node(id).holder;
    await cluster.node(id).holder.claim({ from: many[i + 1]!, incarnation: 'x', users: [user] });
    t.equal(users.known(user)?.kind, 'released');
  }
  const a = holder.ownership.state.members.get('a')!;
  const outcome = await holder.claims.claim(user, [a]);
  t.same(outcome, { kind: 'unknown', silent: ['h'] });
  t.same(
    cluster.network.made('claim'),
    many.slice(0, 7).map((id) => `i>${id}`),
  );
});

t.test('two that name each other', async (t) => {
  const cluster = paused(three);
  const [lost, moving] = cluster.usersOf(2, [three, 'c']);
  const [a, b] = [cluster.node('a'), cluster.node('b')];
  const { holder } = cluster.node('c');
  const members = [...holder.ownership.state.members.values()].filter(({ id }) => id === 'a');

  await t.test('have nobody when nothing is on its way between them', async (t) => {
    await a.holder.claim({ from: 'b', incarnation: 'x', users: [lost!] });
    await b.holder.claim({ from: 'a', incarnation: 'x', users: [lost!] });
    t.same(await holder.claims.claim(lost!, members), { kind: 'nobody' });
    t.same(cluster.network.made('claim'), ['c>a', 'c>b', 'c>a', 'c>b']);
  });

  await t.test('say nothing while a copy is', async (t) => {
    await a.holder.claim({ from: 'b', incarnation: 'x', users: [moving!] });
    const copy = {
      from: 'a',
      incarnation: a.incarnation,
      handoff: 'h-1',
      state: userState(),
      memoryBytes: 0,
      at: 0,
    };
    b.holder.users.set(new PreparedUser(moving!, 0, copy));
    t.match(await holder.claims.claim(moving!, members), { kind: 'unknown' });
  });
});

t.test('a claim of a process that is not the one to which the user was released', async (t) => {
  const { cluster, user, tablet, a } = await joined();
  cluster.network.fateOf = ({ kind }) => (kind === 'commit' ? 'lose-request' : 'pass');
  a.holder.moves.goNow(user);
  await cluster.until('a has released the user', () => a.known(user) === 'released');
  const refreshes = a.refreshes;
  const { answers } = await a.holder.claim({ from: 'c', incarnation: 'c-0', users: [user] });
  t.same(answers, [{ kind: 'held' }]);
  t.equal(a.refreshes, refreshes + 1);
  tablet.attach('c');
  await cluster.until('the tablet is attached', () => tablet.at === 'c');
});

t.test('what a node answers to a claim', async (t) => {
  const cluster = paused(three);
  const [first, second] = cluster.usersOf(2, [three, 'a']);
  const a = cluster.node('a');
  const claim = async (from: string, ...users: readonly string[]) =>
    (await a.holder.claim({ from, incarnation: `${from}-x`, users })).answers;

  await t.test(
    'is nothing for a user that it has not heard of, and again when it is asked again',
    async (t) => {
      t.same(await claim('b', first!), [{ kind: 'none' }]);
      t.same(await claim('b', first!), [{ kind: 'none' }]);
    },
  );

  await t.test('is whom it knows of, to anybody else', async (t) => {
    t.same(await claim('c', first!), [{ kind: 'moved', to: 'b', settled: true }]);
  });

  await t.test('is the source, of a copy', async (t) => {
    const state = userState();
    const { incarnation } = cluster.node('c');
    a.holder.prepare({ from: 'c', incarnation, users: [{ user: second!, handoff: 'h-1', state }] });
    t.same(await claim('b', first!, second!), [{ kind: 'none' }, { kind: 'moved', to: 'c', settled: false }]);
  });

  await t.test('comes with who it is and what it has of others', async (t) => {
    const { incarnation, fingerprint, foreignUsers } = await a.holder.claim({
      from: 'b',
      incarnation: 'x',
      users: [],
    });
    t.equal(incarnation, a.incarnation);
    t.equal(fingerprint, a.holder.ownership.state.ring.fingerprint);
    t.equal(foreignUsers, 1, 'of a copy it is not known yet');
  });
});

t.test('claims for the same user', async (t) => {
  const cluster = paused(three);
  const user = cluster.userOf([three, 'b']);
  const { holder } = cluster.node('b');
  const [a, c] = ['a', 'c'].map((id) => holder.ownership.state.members.get(id)!);

  await t.test('share one question when they would ask the same members', async (t) => {
    const [one, other] = [holder.claims.claim(user, [a!, c!]), holder.claims.claim(user, [c!])];
    t.equal(holder.claims.underWay, 1);
    t.same(await Promise.all([one, other]), [{ kind: 'nobody' }, { kind: 'nobody' }]);
    t.same(cluster.network.made('claim'), ['b>a', 'b>c']);
    t.equal(holder.claims.underWay, 0);
  });

  await t.test('ask for themselves when they would ask others, too', async (t) => {
    cluster.network.calls.splice(0);
    cluster.network.fateOf = ({ to }) => (to === 'c' ? 'lose-request' : 'pass');
    const [one, other] = [holder.claims.claim(user, [a!]), holder.claims.claim(user, [a!, c!])];
    t.same(await one, { kind: 'nobody' });
    t.same(await other, { kind: 'unknown', silent: ['c'] });
    t.equal(holder.claims.underWay, 0);
  });
});

t.test('an answer that is no answer', async (t) => {
  const cluster = paused(two);
  const user = cluster.userOf([two, 'b']);
  const { holder } = cluster.node('b');
  const a = holder.ownership.state.members.get('a')!;

  await t.test('of a member that has left: it holds nobody', async (t) => {
    cluster.network.fateOf = () => 'hold-request';
    const outcome = holder.claims.claim(user, [a]);
    await cluster.settle();
    cluster.ring(['b']);
    cluster.network.takeHeld().giveUp();
    t.same(await outcome, { kind: 'nobody' });
    t.same(await holder.claims.claim(user, [a]), { kind: 'nobody' }, 'and is not asked');
    t.equal(cluster.network.calls.length, 1);
  });

  await t.test('for fewer users than were asked about', async (t) => {
    cluster.ring(two);
    cluster.network.fateOf = () => 'pass';
    const { claim } = cluster.node('a').holder;
    cluster.node('a').holder.claim = async (request) => ({
      ...(await claim.call(cluster.node('a').holder, request)),
      answers: [],
    });
    t.same(await holder.claims.claim(user, [a]), { kind: 'unknown', silent: ['a'] });
  });
});

t.test('the copy that is said to be mine is not there', async (t) => {
  const { cluster, user, client, tablet, a, c } = await joined();
  client.cut();
  cluster.network.fateOf = ({ kind }) => (kind === 'commit' ? 'lose-request' : 'pass');
  a.holder.moves.goNow(user);
  await cluster.until('a has released the user', () => a.known(user) === 'released');
  const known = c.holder.users.known(user);
  t.equal(known?.kind, 'prepared');
  if (known?.kind === 'prepared') c.holder.copies.drop(user, known.copy.handoff);
  tablet.attach('c');
  await cluster.until('the tablet is attached', () => tablet.at === 'c');
  t.same(tablet.recovered, [true, false]);
  t.same([...(c.held(user).contested ?? [])], ['a']);
});

t.test('a claim finds the user here when it comes meanwhile', async (t) => {
  const cluster = paused(three);
  const user = cluster.userOf([three, 'b']);
  const b = cluster.node('b');
  cluster.network.fateOf = () => 'hold-answer';
  const client = clientOf(cluster, user);
  client.attach('b');
  await cluster.settle();
  const held = hold(b, user);
  for (const call of cluster.network.held.splice(0)) call.go();
  await cluster.until('the client is attached', () => client.at === 'b');
  t.equal(b.held(user), held);
});
