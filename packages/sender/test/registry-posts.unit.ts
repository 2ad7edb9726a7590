import { PinwheelError } from '@pinwheel/protocol';
import type { Routes } from '@pinwheel/strategy';
import t from 'tap';
import {
  broke,
  messagesIn,
  routesOf,
  ScriptedQueue,
  senderOf,
  taken,
  toNobody,
} from './kit/scripted-queue.js';

const soon = { deadlineMs: 300 };

t.test('each node has one post with the messages of its users, in their order', async (t) => {
  const queue = new ScriptedQueue(() => taken);
  const routes = routesOf({ ann: ['n1/one'], ben: ['n2/two'], both: ['n1/one', 'n2/two'] });
  const sender = senderOf(t, { name: 'registry', queue, routes });
  const sends = ['ann', 'both', 'ann', 'ben', 'both', 'ann'].map((user, i) => sender.send(user, `${i}`));
  t.same(new Set((await Promise.all(sends)).map(({ status }) => status)), new Set(['published']));
  t.same(queue.posted, ['pinwheel.node.one', 'pinwheel.node.two']);
  const of = (user: string, at: number): readonly string[] =>
    messagesIn(queue.seen[at]!).filter((message) => message.startsWith(user));
  t.same(of('ann', 0), ['ann 0', 'ann 2', 'ann 5']);
  t.same(
    [of('both', 0), of('both', 1)],
    [
      ['both 1', 'both 4'],
      ['both 1', 'both 4'],
    ],
  );
  t.same(of('ben', 1), ['ben 3']);
  const bytes = queue.seen.reduce((sum, { copy }) => sum + copy.length, 0);
  t.same(sender.counters().traffic, { copies: 8, bytes });
});

t.test('a queue is not troubled for users who are nowhere', async (t) => {
  const queue = new ScriptedQueue(() => taken);
  const sender = senderOf(t, { name: 'registry', queue, routes: routesOf({}) });
  t.same(await sender.send('nobody', 'x'), { user: 'nobody', status: 'offline' });
  t.equal(queue.calls, 0);
});

t.test('one of a user’s nodes that takes a message is enough', async (t) => {
  for (const other of [broke, toNobody]) {
    for (const good of ['one', 'two']) {
      const queue = new ScriptedQueue((topic) => (topic.endsWith(good) ? taken : other));
      const routes = routesOf({ ann: ['n1/one', 'n2/two'] });
      const sender = senderOf(t, { name: 'registry', queue, routes });
      t.same(await sender.send('ann', 'x'), { user: 'ann', status: 'published' });
      t.equal(queue.calls, 1, 'at once');
    }
  }
});

t.test('a post that may have arrived counts for more than one that nobody heard', async (t) => {
  for (const doubtful of ['one', 'two']) {
    const queue = new ScriptedQueue((topic) => (topic.endsWith(doubtful) ? broke : toNobody));
    const routes = routesOf({ ann: ['n1/one', 'n2/two'] });
    const sender = senderOf(t, { name: 'registry', queue, routes });
    t.match(await sender.send('ann', 'x', soon), {
      status: 'overloaded',
      error: { code: 'unknown-outcome' },
    });
  }
});

t.test('all messages of a user share what is not known of him', async (t) => {
  const queue = new ScriptedQueue(() => taken);
  const why = new PinwheelError('unavailable', 'the key holds something else');
  const routes: Routes = { ...routesOf({}), read: async (users) => users.map(() => why) };
  const sender = senderOf(t, { name: 'registry', queue, routes });
  for (const receipt of await sender.sendMany(['bad', 'bad', 'bad'], 'x', soon))
    t.match(receipt, { status: 'overloaded', error: { message: why.message } });

  let reads = 0;
  const away = new PinwheelError('unreachable', 'redis is away');
  const read: Routes['read'] = async (users) => {
    if (++reads === 1) throw away;
    return users.map(() => []);
  };
  const other = senderOf(t, { name: 'registry', queue, routes: { ...routesOf({}), read } });
  for (const receipt of await other.sendMany(['ann', 'ann', 'ann'], 'x', soon))
    t.match(receipt, { status: 'overloaded', error: { message: /may have lost where the user is/ } });
  t.ok(reads > 1);
});

t.test('a route that leads to nobody is removed, and its user awaited for a moment', async (t) => {
  const queue = new ScriptedQueue(() => toNobody);
  const users: Record<string, readonly string[]> = { ann: ['n1/one'] };
  const removed: unknown[] = [];
  const remove: Routes['remove'] = async (where, routes) => {
    removed.push([where, routes]);
    delete users.ann;
    throw new PinwheelError('unreachable', 'redis is away');
  };
  const routes = { ...routesOf(users), remove };
  const sender = senderOf(t, { name: 'registry', queue, routes });
  const hasLeft = {
    code: 'unavailable',
    message: /registry names node n1, which does not listen|led to a node/,
  };
  t.match(await sender.send('ann', 'x', soon), { status: 'overloaded', error: hasLeft });
  t.same(removed, [['n1/one', [{ user: 'ann', lease: '1' }]]]);
  t.equal(queue.calls, 1);
  const [ann, ben] = await sender.sendMany(['ann', 'ben'], 'x', soon);
  t.match(ann, { status: 'overloaded', error: { code: 'unavailable', message: /it may be back soon/ } });
  t.same(ben, { user: 'ben', status: 'offline' }, 'others are absent');
  t.same(await sender.send('ann', 'x'), { user: 'ann', status: 'offline' }, 'she is in the end');
});

t.test('the bytes of a post stay as they are as long as it may be on its way', async (t) => {
  const queue = new ScriptedQueue((_topic, count) => (count === 1 ? broke : taken));
  const sender = senderOf(t, { name: 'registry', queue, routes: routesOf({ ann: ['n1/one'] }) });
  await sender.send('ann', 'in doubt');
  await sender.send('ann', 'later');
  const [lost] = queue.seen;
  t.same(Buffer.from(lost!.bytes), lost!.copy);
});

t.test('a post has the time that the question has left', async (t) => {
  const queue = new ScriptedQueue(() => taken);
  const known = routesOf({ ann: ['n1/one'] });
  const deadlines: number[] = [];
  const read: Routes['read'] = async (users, deadlineMs) => {
    deadlines.push(deadlineMs);
    await new Promise((resolve) => setTimeout(resolve, 50));
    return known.read(users, deadlineMs);
  };
  const sender = senderOf(t, { name: 'registry', queue, routes: { ...known, read } });
  await sender.send('ann', 'x');
  const spent = deadlines[0]! - queue.seen[0]!.deadlineMs;
  t.ok(spent >= 45, `${spent} ms less`);
});
