import type { AttachRequest } from '@pinwheel/protocol';
import t from 'tap';
import { FakeClock } from '../../sender/test/kit/fake-clock.js';
import { ExpiringMap } from '../src/users/expiring-map.js';
import { Cluster, type ClusterNode } from './kit/cluster.js';
import { FakeLink } from './kit/fake-link.js';
import { attach, attachRequest, OneNode } from './kit/one-node.js';
import { TestClient, TestLink } from './kit/test-edge.js';

const disconnected = { code: 4500, name: 'disconnected' } as const;
const go = { code: 4500, reason: 'go' };

/** What a connection of alice's session `a` is told; 1 is the one that was there before. */
function asked(node: OneNode, epoch: number, fields: Partial<AttachRequest> = {}): unknown {
  const { users } = node;
  const request = attachRequest('a', { user: 'alice', epoch, ...fields });
  return users.dismissals.of(request, users.get(request.user)?.sessionOf(request.key));
}

function closedWhileAway(): OneNode {
  const node = new OneNode();
  const held = node.users.hold('alice', 1);
  const { session } = attach(held, new FakeLink(), 'a', { epoch: 1 });
  held.detach(session);
  session.close(disconnected, 'go');
  // one that is over is not closed again
  session.close(disconnected, 'and again');
  return node;
}

t.test('who was closed while it was away is told when it comes by a new connection, once', async (t) => {
  const node = closedWhileAway();
  t.same(node.ended, [{ session: 'a', ...go }]);
  t.match(asked(node, 2), go);
  t.equal(asked(node, 3), undefined);
});

t.test('by the connection that it had, too, which may be dead: the new one is told as well', async (t) => {
  const node = closedWhileAway();
  t.match(asked(node, 1), go);
  t.match(asked(node, 1), go);
  t.match(asked(node, 2), go);
  t.equal(asked(node, 3), undefined);
});

t.test('nobody else is told, with the same key or user', async (t) => {
  const node = closedWhileAway();
  t.equal(asked(node, 2, { user: 'bob' }), undefined);
  t.equal(asked(node, 2, { key: 'b' }), undefined);
  t.equal(asked(node, 2, { user: 'alice a', key: '' }), undefined);
  t.match(asked(node, 2), go);
});

t.test('who is there is told at once, and not again', async (t) => {
  const node = new OneNode();
  const { session } = attach(node.users.hold('alice', 1), new FakeLink(), 'a', { epoch: 1 });
  session.close(disconnected, 'go');
  t.equal(asked(node, 2), undefined);
});

t.test('it is forgotten when nobody could come any more', async (t) => {
  const node = closedWhileAway();
  await node.sweepFor(59);
  t.match(asked(node, 1), go);
  await node.sweepFor(2);
  t.equal(asked(node, 1), undefined);
});

t.test('entries live as long as they are said again, and the eldest go beyond a bound', async (t) => {
  const clock = new FakeClock();
  const map = new ExpiringMap<string>(clock.now, 60_000, 100_000);
  map.set('a', 'x');
  map.set('b', 'x');
  await clock.pass(59_000);
  map.set('a', 'y');
  await clock.pass(59_000);
  map.sweep();
  t.equal(map.get('a'), 'y');
  t.equal(map.get('b'), undefined);
  for (let i = 0; i < 100_000; i++) map.set(`${i}`, 'x');
  t.equal(map.get('a'), undefined);
  t.equal(map.get('0'), undefined);
  t.equal(map.get('1000'), 'x');
  t.equal(map.get('99999'), 'x');
});

const one = ['a'];
const two = ['a', 'b'];

function closeAll(node: ClusterNode, user: string): void {
  for (const session of [...node.held(user).sessions]) session.close(disconnected, 'go');
}

t.test('a client that has come again at another node goes on when it is handed back', async (t) => {
  const cluster = new Cluster(one);
  const user = cluster.userOf([one, 'a'], [two, 'b']);
  const a = cluster.node('a');
  const phone = new TestClient((id) => cluster.node(id), user, 'phone');
  phone.attach('a');
  await cluster.settle();
  phone.cut();
  await cluster.settle();
  closeAll(a, user);

  cluster.start('b', two);
  cluster.ring(two);
  const b = cluster.node('b');
  const atB = new TestLink(b, 'e1');
  const first = atB.attach('phone', { user, epoch: 2, acknowledges: true });
  await cluster.until('it is attached', () => b.holder.users.get(user)?.sessions.length === 1);
  cluster.ring(one, { members: { b: {} } });
  const isRepin = ([frame]: readonly unknown[]): boolean => frame === 'repin';
  await cluster.until('it was handed over', () => atB.said.some(isRepin));
  const handoff = String(atB.take(first).find(isRepin)![3]);
  const atA = new TestLink(a, 'e1');
  const second = atA.attach('phone', { user, epoch: 2, acknowledges: true, resumes: true, handoff });
  await cluster.settle();
  t.match(atA.take(second), [['attached', second]]);
  t.match(a.holder.attaches.counters, { dismissed: 0 });
  t.equal(a.holder.users.get(user)?.sessions.length, 1);
});

t.test('what an older holder brings of a session that was closed since does not stay', async (t) => {
  const cluster = new Cluster(one);
  const a = cluster.node('a');
  const { users, ownership } = a.holder;
  const link = new TestLink(a, 'e1');
  const away = (): void => {
    const held = users.hold('alice', ownership.state.ring.hashOf('alice'));
    held.detach(attach(held, new FakeLink(), 'phone', { epoch: 1 }).session);
  };
  away();
  closeAll(a, 'alice');
  t.equal(users.get('alice'), undefined);
  away();
  const session = link.attach('phone', { user: 'alice', epoch: 2 });
  await cluster.settle();
  t.same(link.take(session), [['close', session, 4500, 'go']]);
  t.equal(users.get('alice'), undefined, 'nobody is waited for');
});
