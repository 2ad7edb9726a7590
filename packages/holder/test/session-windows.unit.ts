import t from 'tap';
import { restore, stateOf } from '../src/moves/merge.js';
import { FakeLink } from './kit/fake-link.js';
import { attach, DirectSession, here, messageTo, OneNode } from './kit/one-node.js';

t.test('sessions that are away are waited for', async (t) => {
  await t.test('one of pinwheel.v1 for a minute, a plain one for 10 s', async (t) => {
    const node = new OneNode();
    const held = node.hold();
    const [v1, plain] = [
      attach(held, new FakeLink(), 'v1').session,
      attach(held, new FakeLink(), 'plain', { acknowledges: false }).session,
    ];
    held.detach(v1);
    held.detach(plain);
    await node.sweepFor(9);
    t.equal(held.sessions.length, 2);
    await node.sweepFor(1);
    t.same(node.ended, [{ session: 'plain', code: 1006, reason: 'did not come back' }]);
    await node.sweepFor(49);
    t.equal(node.users.get('alice'), held);
    await node.sweepFor(1);
    t.equal(node.users.get('alice'), undefined);
    t.same(node.forgotten, ['alice']);
    t.equal(node.budget.bytes, 0);
  });

  await t.test('at most a thousand: of more the one goes that would be given up first', async (t) => {
    const node = new OneNode();
    const held = node.hold();
    const stays = attach(held, new FakeLink(), 'stays').session;
    held.detach(attach(held, new FakeLink(), 'plain', { acknowledges: false }).session);
    for (let i = 0; i < 1010; i++) {
      held.detach(attach(held, new FakeLink(), `key ${i}`).session);
      if (i % 100 === 0) await node.clock.pass(10);
    }
    t.equal(held.sessions.length, 1001);
    t.same(
      node.ended.map(({ session }) => session),
      ['plain', ...Array.from({ length: 10 }, (_, i) => `key ${i}`)],
    );
    t.equal(held.sessionOf('stays'), stays, 'who is attached counts in no bound');
  });

  await t.test('one that comes back in time is not ended', async (t) => {
    const node = new OneNode();
    const held = node.hold();
    held.detach(attach(held, new FakeLink(), 'a').session);
    await node.sweepFor(59);
    attach(held, new FakeLink(), 'a', { positions: here(held, 0) });
    await node.sweepFor(120);
    t.equal(held.sessions.length, 1);
  });

  await t.test(
    'for a plain one nothing more is kept: nobody knows whether its client is there',
    async (t) => {
      const node = new OneNode();
      const held = node.hold();
      const { session } = attach(held, new FakeLink(), 'plain', { acknowledges: false });
      const known = messageTo('alice', '1');
      t.match(node.deliver([known]).receipts, [{ status: 'delivered' }]);
      held.detach(session);
      t.match(node.send(held, '2'), [{ status: 'overloaded', error: { code: 'unavailable' } }]);
      t.match(node.deliver([{ ...known, repeated: true }]).receipts, [{ status: 'delivered' }]);
      const link = new FakeLink();
      attach(held, link, 'plain', { acknowledges: false, positions: here(held, 0) });
      t.same(link.takeSeqs(), [1], 'what was accepted before comes');
      t.match(node.send(held, '3'), [{ status: 'delivered' }]);
      t.same(link.takeSeqs(), [2]);
    },
  );

  await t.test('unless it was handed over, and its edge is told to bring it', async (t) => {
    const [node, other, third] = [new OneNode(), new OneNode(), new OneNode()];
    const held = node.hold();
    const link = new FakeLink();
    const { session } = attach(held, link, 'plain', { acknowledges: false });
    const [there, further, late] = [other.hold(), third.hold(), third.hold('bob')];
    restore(there, stateOf(held, 0), other.clock);
    t.match(other.send(there, '1'), [{ status: 'queued' }]);
    restore(further, stateOf(there, 0), third.clock);
    t.match(third.send(further, '2'), [{ status: 'queued' }]);
    link.isOpen = false;
    restore(late, stateOf(held, 0), third.clock);
    t.match(third.send(late, '3'), [{ status: 'overloaded' }], 'its link was in doubt');
    held.detach(session);
    restore(late, stateOf(held, 0), third.clock);
    t.match(third.send(late, '4'), [{ status: 'overloaded' }], 'its link was lost');
  });

  await t.test('messages are kept no longer than the window', async (t) => {
    const node = new OneNode();
    const held = node.hold();
    const { session } = attach(held, new FakeLink(), 'a');
    session.paused = true;
    node.send(held, '1');
    await node.sweepFor(30);
    node.send(held, '2');
    await node.sweepFor(31);
    t.same(
      [...held.inbox!.after(0)].map(({ seq }) => seq),
      [2],
    );
  });

  await t.test('the memory of a user to whom nothing is said any more is given back', async (t) => {
    const node = new OneNode();
    const held = node.hold();
    const { session } = attach(held, new FakeLink(), 'a');
    node.send(held, '1');
    held.acknowledged(session, 1);
    t.ok(node.budget.bytes > 0);
    await node.sweepFor(62);
    t.equal(node.budget.bytes, 0);
    t.notOk(held.isSwept);
    t.equal(node.send(held, '2')[0]?.status, 'delivered');
    t.ok(held.isSwept, 'and it is looked at again');
  });
});

t.test('a session ends', async (t) => {
  await t.test('by the node: its client is closed, once', async (t) => {
    const node = new OneNode();
    const held = node.hold();
    const link = new FakeLink();
    const { session } = attach(held, link, 'a');
    session.close({ code: 4500, name: 'disconnected' }, 'disconnected');
    session.close({ code: 4500, name: 'disconnected' }, 'disconnected');
    t.same(link.take(), [['end', session.number, 4500, 'disconnected']]);
    t.same(node.ended, [{ session: 'a', code: 4500, reason: 'disconnected' }]);
    t.equal(node.users.get('alice'), undefined);
    t.equal(node.users.sessionCount, 0);
  });

  await t.test('while its user is on the way or may be elsewhere: the user is remembered', async (t) => {
    const reasons: Readonly<Record<string, (held: ReturnType<OneNode['hold']>) => void>> = {
      frozen: (held) => held.freeze(),
      contested: (held) => {
        held.contested = new Set(['n2']);
      },
    };
    for (const [name, give] of Object.entries(reasons)) {
      const node = new OneNode();
      const held = node.hold();
      const { session } = attach(held, new FakeLink(), 'a');
      give(held);
      held.ended(session, 1000, '');
      t.equal(node.users.get('alice'), held, name);
      t.same(node.forgotten, [], name);
    }
  });
});

t.test('an answer of the application reaches its session only', async (t) => {
  const node = new OneNode();
  const held = node.hold();
  const link = new FakeLink();
  const { session } = attach(held, link, 'a');
  t.ok(session.reply('text'));
  t.ok(session.reply(Buffer.from('bytes')));
  t.same(link.take(), [
    ['reply', session.number, false, 'text'],
    ['reply', session.number, true, 'bytes'],
  ]);
  session.paused = true;
  t.notOk(session.reply('x'));
  held.detach(session);
  t.notOk(session.reply('x'));
  t.same(link.take(), []);
});

t.test('what the application has processed is said, while there is somebody to say it to', async (t) => {
  const node = new OneNode();
  const held = node.hold();
  const link = new FakeLink();
  const { session } = attach(held, link, 'a');
  session.processed(3);
  session.processed(2);
  t.same(link.take(), [['taken', session.number, 3]]);
  held.detach(session);
  session.processed(5);
  t.equal(session.taken, 5);
});

t.test('a user on the way: those who wait look again when it is over', async (t) => {
  const held = new OneNode().hold();
  held.freeze();
  let looked = 0;
  held.whenThawed(() => looked++);
  held.whenThawed(() => looked++);
  t.ok(held.isNeeded);
  held.thaw();
  t.equal(looked, 2);
  held.thaw();
  t.equal(looked, 2);
});

t.test('a direct session has no place among those that can come back', async (t) => {
  const node = new OneNode();
  const held = node.hold();
  const direct = new DirectSession(held, 'a');
  t.equal(held.sessionOf('a'), undefined);
  t.equal(held.linkSessions, 0);
  held.ended(direct, 1000, '');
  held.ended(direct, 1000, '');
  t.equal(node.ended.length, 1);
});
