import t from 'tap';
import type { LinkSession } from '../src/users/link-session.js';
import { Cluster } from './kit/cluster.js';
import { TestLink } from './kit/test-edge.js';

const two = ['a', 'b'];
const three = ['a', 'b', 'c'];
const reason = '{"retryAfterMs":1}';

/** A plain client of a user is attached at `a`; `c` is about to join and will own the user. */
async function plain(limits = {}) {
  const cluster = new Cluster(two, limits);
  const user = cluster.userOf([two, 'a'], [three, 'c']);
  const a = cluster.node('a');
  const link = new TestLink(a, 'e1');
  const session = link.attach('plain', { user, acknowledges: false });
  await cluster.settle();
  link.take(session);
  const leave = () => link.say((writer) => writer.leave(session, 4000, reason));
  const said = async () => {
    await cluster.settle();
    return link.take(session).map(([frame, , ...fields]) => `${frame} ${fields.join(' ')}`.trim());
  };
  return { cluster, user, a, link, session, leave, said };
}

const closed = `close 4000 ${reason}`;

t.test('a session whose edge wants it to leave is closed behind what was written', async (t) => {
  const { a, user, leave, said } = await plain();
  t.same(a.send(user, '1'), ['delivered']);
  leave();
  t.same(await said(), ['message 1 1', closed]);
  t.same(a.work.endings, [{ session: 'plain', code: 4000, reason }]);
  t.equal(a.known(user), undefined);
});

t.test('behind what waits for a client that does not read', async (t) => {
  const { a, user, link, session, leave, said } = await plain();
  link.say((writer) => writer.pause(session));
  t.same(a.send(user, '1', '2'), ['queued', 'queued']);
  leave();
  t.same(await said(), []);
  link.say((writer) => writer.continue(session));
  t.same(await said(), ['message 1 1', 'message 2 2', closed]);
});

t.test('behind what waits for a link that is full', async (t) => {
  const { a, user, link, leave, said } = await plain({ maxLinkUnreadBytes: 1000 });
  link.unreadBytes = 1001;
  t.same(a.send(user, '1'), ['delivered']);
  t.same(await said(), ['message 1 1']);
  t.same(a.send(user, '2'), ['queued']);
  leave();
  t.same(await said(), []);
  link.unreadBytes = 0;
  link.link.drained();
  t.same(await said(), ['message 2 2', closed]);
});

t.test('behind what its client had sent by then, and the application is at', async (t) => {
  const { a, user, link, session, leave, said } = await plain();
  a.work.isQuick = false;
  const send = (number: number): void =>
    link.say((writer) => writer.client(session, Buffer.from([1, number, 0, 0, 0, 120])));
  send(1);
  leave();
  t.same(await said(), []);
  // it is not waited for
  send(2);
  const held = a.holder.users.get(user)!;
  (held.sessions[0] as LinkSession).processed(1);
  t.same(await said(), ['taken 1', closed]);
});

t.test('one whose user is on the way to another node', async (t) => {
  const moving = async () => {
    const situation = await plain();
    const { cluster, user, leave, said } = situation;
    const c = cluster.start('c', three);
    cluster.network.fateOf = ({ kind }) => (kind === 'prepare' ? 'hold-answer' : 'pass');
    cluster.ring(three);
    await cluster.until('c has a copy', () => c.known(user) === 'prepared');
    leave();
    t.same(await said(), [], 'waits for the outcome');
    return { ...situation, c };
  };

  await t.test('leaves the next one: it is sent there', async (t) => {
    const { cluster, user, a, c, said } = await moving();
    cluster.network.takeHeld().go();
    const [repin, ...more] = await said();
    t.match(repin, /^repin c /);
    t.same(more, []);
    t.same(a.work.endings, [], 'it has not ended');
    await cluster.until('c has the user', () => c.known(user) === 'held');
    t.equal(c.held(user).sessions.length, 1, 'what is sent now is kept for it');
  });

  await t.test('leaves this one when the user stays', async (t) => {
    const { cluster, user, a, said } = await moving();
    cluster.network.takeHeld().giveUp();
    t.same(await said(), [closed]);
    t.equal(a.known(user), undefined);
  });
});

t.test('one that is attached anew stays until it is asked again', async (t) => {
  const { a, user, link, session, leave, said } = await plain();
  link.say((writer) => writer.pause(session));
  a.send(user, '1');
  leave();
  link.say((writer) => writer.detach(session, 0));
  const again = link.attach('plain', { user, acknowledges: false, epoch: 1, resumes: true, positions: [] });
  await said();
  t.same(a.send(user, '2'), ['delivered']);
  t.equal(a.held(user).sessions.length, 1);
  link.say((writer) => writer.leave(again, 4000, reason));
  t.equal(a.known(user), undefined);
});

t.test('LEAVE for a session that is over is counted, and nothing else', async (t) => {
  const { a, link, leave, said } = await plain();
  leave();
  await said();
  leave();
  t.same(await said(), []);
  t.equal(a.holder.linkCounters.stale, 1);
  t.equal(link.closed, undefined);
});
