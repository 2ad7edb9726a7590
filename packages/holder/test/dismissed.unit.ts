import t from 'tap';
import { FakeClock } from '../../sender/test/kit/fake-clock.js';
import { ExpiringMap } from '../src/users/expiring-map.js';
import { FakeLink } from './kit/fake-link.js';
import { attach, OneNode } from './kit/one-node.js';

const go = { code: 4500, reason: 'go' };

t.test('who was closed while it was away is told once', async (t) => {
  const { users, ...node } = new OneNode();
  const held = users.hold('alice', 1);
  const { session } = attach(held, new FakeLink(), 'a');
  held.detach(session);
  session.close({ code: 4500, name: 'disconnected' }, 'go');
  t.same(node.ended, [{ session: 'a', ...go }]);
  t.same(users.dismissed.take('a'), go);
  t.equal(users.dismissed.take('a'), undefined);
  session.close({ code: 4500, name: 'disconnected' }, 'go');
  t.equal(users.dismissed.take('a'), undefined, 'of one that is over nothing is kept');
});

t.test('who is there is told at once, and not again', async (t) => {
  const { users } = new OneNode();
  const { session } = attach(users.hold('alice', 1), new FakeLink(), 'a');
  session.close({ code: 4500, name: 'disconnected' }, 'go');
  t.equal(users.dismissed.take('a'), undefined);
});

t.test('it is forgotten when nobody could come any more', async (t) => {
  const node = new OneNode();
  const { dismissed } = node.users;
  dismissed.set('a', go);
  await node.sweepFor(59);
  dismissed.set('b', go);
  t.same(dismissed.take('a'), go);
  dismissed.set('a', go);
  await node.sweepFor(59);
  t.same(dismissed.take('a'), go, 'said again, it counts from then');
  t.same(dismissed.take('b'), go);
  dismissed.set('c', go);
  await node.sweepFor(61);
  t.equal(dismissed.take('c'), undefined);
});

t.test('the eldest go beyond a bound', async (t) => {
  const dismissed = new ExpiringMap<typeof go>(new FakeClock().now, 60_000, 100_000);
  for (let i = 0; i <= 100_000; i++) dismissed.set(`${i}`, go);
  t.equal(dismissed.take('0'), undefined);
  t.equal(dismissed.take('999'), undefined);
  t.same(dismissed.take('1000'), go);
  t.same(dismissed.take('100000'), go);
});
