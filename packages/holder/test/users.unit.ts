import t from 'tap';
import { ReleasedUser } from '../src/users/known-user.js';
import { FakeLink } from './kit/fake-link.js';
import { attach, DirectSession, OneNode } from './kit/one-node.js';
import { userState } from './kit/user-state.js';

t.test('what a node knows of a user is one thing at a time', async (t) => {
  const { users } = new OneNode();
  t.equal(users.known('alice'), undefined);
  const held = users.hold('alice', 1);
  t.equal(users.get('alice'), held);
  t.equal(users.userCount, 1);
  const released = new ReleasedUser('alice', 'b', 0, 1000);
  users.set(released);
  t.equal(users.known('alice'), released);
  t.equal(users.get('alice'), undefined);
  t.same([users.userCount, users.tombstoneCount], [0, 1]);
  users.hold('alice', 1);
  t.same([users.userCount, users.tombstoneCount], [1, 0]);
  users.delete(released);
  t.equal(users.userCount, 1, 'what is not known any more cannot be deleted');
});

t.test('sessions are counted while their user is held', async (t) => {
  const node = new OneNode();
  const { users } = node;
  const held = node.hold();
  const { session } = attach(held, new FakeLink(), 'a');
  new DirectSession(held, 'd1');
  t.equal(users.sessionCount, 2);
  users.set(new ReleasedUser('alice', 'b', 0, 1000));
  t.equal(users.sessionCount, 0);
  held.ended(session, 1000, '');
  t.equal(users.sessionCount, 0);
  t.match(node.ended, [{ session: 'a' }]);
  attach(held, new FakeLink(), 'b');
  t.equal(users.sessionCount, 0, 'one of a user that is not held any more');
  users.set(held);
  t.equal(users.sessionCount, 2);
});

t.test('everybody can be looked through', async (t) => {
  const node = new OneNode();
  node.hold('alice');
  node.hold('bob');
  node.users.set(new ReleasedUser('carol', 'b', 0, 1000));
  t.same(
    [...node.users.users()].map(({ user }) => user),
    ['alice', 'bob'],
  );
  t.same(
    [...node.users.everybody()].map(({ user }) => user),
    ['alice', 'bob', 'carol'],
  );
});

t.test('a user that nothing needs is forgotten, and nobody else', async (t) => {
  const node = new OneNode();
  const [held, needed] = [node.hold('alice'), node.hold('bob')];
  new DirectSession(needed, 'd1');
  node.users.forgetIfUnneeded(held);
  node.users.forgetIfUnneeded(held);
  node.users.forgetIfUnneeded(needed);
  t.same(node.forgotten, ['alice']);
  t.equal(node.users.get('bob'), needed);
});

t.test('users that are not here any more are not swept', async (t) => {
  const node = new OneNode();
  const held = node.hold();
  held.detach(attach(held, new FakeLink(), 'a').session);
  node.users.set(new ReleasedUser('alice', 'b', 0, 1_000_000));
  await node.sweepFor(70);
  t.same(node.ended, []);
  t.equal(node.users.tombstoneCount, 1);
});

t.test('tombstones', async (t) => {
  const unacknowledged = () => ({
    handoff: 'h',
    target: { id: 'b', address: '', port: 1, weight: 1, draining: false, kind: 'node' as const },
    incarnation: 'b-1',
    state: userState(),
  });

  await t.test('go after their time, but not before they are acknowledged', async (t) => {
    const node = new OneNode();
    const open = new ReleasedUser('alice', 'b', 0, 1000, unacknowledged());
    node.users.set(open);
    node.users.set(new ReleasedUser('bob', 'b', 0, 1000));
    node.users.set(new ReleasedUser('carol', 'b', 0, 5000));
    await node.sweepFor(1);
    t.same(
      [...node.users.everybody()].map(({ user }) => user),
      ['alice', 'carol'],
    );
    open.unacknowledged = undefined;
    await node.sweepFor(1);
    t.same(
      [...node.users.everybody()].map(({ user }) => user),
      ['carol'],
    );
  });

  await t.test('are at most 100,000: the oldest goes that is acknowledged', async (t) => {
    const { users } = new OneNode();
    users.set(new ReleasedUser('open', 'b', 0, 1000, unacknowledged()));
    for (let i = 0; i < 100_000; i++) users.set(new ReleasedUser(`user-${i}`, 'b', 0, 1000));
    t.equal(users.tombstoneCount, 99_001, 'a thousand went together');
    t.ok(users.known('open'));
    t.equal(users.known('user-999'), undefined);
    t.ok(users.known('user-1000'));
    for (let i = 0; i < 999; i++) users.set(new ReleasedUser(`next-${i}`, 'b', 0, 1000));
    t.equal(users.tombstoneCount, 100_000);
  });
});
