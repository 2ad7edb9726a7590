import { PinwheelError } from '@pinwheel/protocol';
import type { Routes } from '@pinwheel/strategy';
import t from 'tap';
import { broke, routesOf, ScriptedQueue, senderOf, taken } from './kit/scripted-queue.js';

t.test(
  'registry: a post that failed is tried again, and says nothing of users who were not in it',
  async (t) => {
    let failures = 0;
    const queue = new ScriptedQueue((topic) => {
      if (topic !== 'pinwheel.node.one' || failures === 2) return taken;
      failures++;
      return broke;
    });
    const routes = routesOf({ ann: ['n1/one'], ben: ['n2/two'], both: ['n1/one', 'n2/two'] });
    const sender = senderOf(t, { name: 'registry', queue, routes });
    const receipts = await sender.sendMany(['ann', 'ben', 'both', 'nobody'], 'x');
    t.same(
      receipts.map(({ status }) => status),
      ['published', 'published', 'published', 'offline'],
    );
    t.same(queue.posted.sort(), [
      'pinwheel.node.one',
      'pinwheel.node.one',
      'pinwheel.node.one',
      'pinwheel.node.two',
    ]);
  },
);

t.test(
  'registry: when nothing of a batch could be posted, who has no route is offline nevertheless',
  async (t) => {
    const queue = new ScriptedQueue(() => broke);
    const sender = senderOf(t, { name: 'registry', queue, routes: routesOf({ ann: ['n1/one'] }) });
    const [ann, nobody] = await sender.sendMany(['ann', 'nobody'], 'x', { deadlineMs: 300 });
    t.match(ann, { status: 'overloaded', error: { code: 'unknown-outcome' } });
    t.same(nobody, { user: 'nobody', status: 'offline' });
  },
);

t.test(
  'registry: of whom it cannot be known where he is concerns nobody else, and is not absent',
  async (t) => {
    const queue = new ScriptedQueue(() => taken);
    const known = routesOf({ ann: ['n1/one'] });
    const why = new PinwheelError('unavailable', 'the key "pinwheel.route.bad" holds something else');
    const read: Routes['read'] = async (users, deadlineMs) => {
      const found = await known.read(users, deadlineMs);
      return found.map((routes, i) => (users[i] === 'bad' ? why : routes));
    };
    const sender = senderOf(t, { name: 'registry', queue, routes: { ...known, read } });
    const receipts = await sender.sendMany(['ann', 'bad', 'nobody'], 'x', { deadlineMs: 300 });
    t.same(receipts, [
      { user: 'ann', status: 'published' },
      { user: 'bad', status: 'overloaded', error: { code: 'unavailable', message: why.message } },
      { user: 'nobody', status: 'offline' },
    ]);
  },
);

t.test(
  'registry: after it was away, who has no route is awaited until nodes have written their users down again',
  async (t) => {
    for (const code of ['unreachable', 'unknown-outcome'] as const) {
      const queue = new ScriptedQueue(() => taken);
      let reads = 0;
      const known = routesOf({ ann: ['n1/one'] });
      const lost = routesOf({});
      const read: Routes['read'] = async (users, deadlineMs) => {
        if (++reads === 1) throw new PinwheelError(code, 'redis is away');
        return (reads < 5 ? lost : known).read(users, deadlineMs);
      };
      const sender = senderOf(t, { name: 'registry', queue, routes: { ...known, read } });
      const began = performance.now();
      const receipts = await sender.sendMany(['ann', 'nobody'], 'x');
      t.same(
        receipts.map(({ status }) => status),
        ['published', 'offline'],
        code,
      );
      t.ok(performance.now() - began >= 2000, 'nobody is called absent before nodes are connected again');
      const [later] = await sender.sendMany(['nobody'], 'x', { deadlineMs: 300 });
      t.equal(later!.status, 'offline', 'and that is over');
    }
  },
);

t.test('broadcast: of several posts the one that failed is tried again', async (t) => {
  const queue = new ScriptedQueue((_topic, count) => (count === 2 ? broke : taken));
  const sender = senderOf(t, { name: 'broadcast', queue, maxMessagesPerPost: 1 });
  const receipts = await sender.sendMany(['ann', 'ben', 'cleo'], 'x');
  t.same(
    receipts.map(({ status }) => status),
    ['published', 'published', 'published'],
  );
  t.equal(queue.posted.length, 4);
});

t.test(
  'what is for everybody counts as a copy like any other, with what it measures as posted',
  async (t) => {
    const queue = new ScriptedQueue(() => taken);
    const strategies = [
      { name: 'broadcast', queue },
      { name: 'registry', queue, routes: routesOf({}) },
    ] as const;
    for (const strategy of strategies) {
      const sender = senderOf(t, strategy);
      await sender.broadcast('größer');
      await sender.broadcast(new Uint8Array(10));
      t.same(sender.counters().traffic, { copies: 2, bytes: 6 + 8 + 6 + 10 }, strategy.name);
    }
  },
);
