import { encodeClientFrame } from '@pinwheel/protocol';
import t from 'tap';
import { Cluster } from './kit/cluster.js';
import { oneLink } from './kit/one-link.js';
import { TestLink } from './kit/test-edge.js';

const message = (number: number, text = 'x') =>
  encodeClientFrame({ kind: 'message', number, binary: false, data: Buffer.from(text) });

t.test('the first frame says who the node is', async (t) => {
  const cluster = new Cluster(['a']);
  const link = new TestLink(cluster.node('a'), '');
  await cluster.settle();
  t.same(link.said, [['hello', 1, 'a', 'a-1']]);
  t.equal(cluster.node('a').holder.linkCount, 1);
});

t.test('a session is attached', async (t) => {
  const cluster = new Cluster(['a']);
  const link = new TestLink(cluster.node('a'), 'e1');
  const session = link.attach('phone', { user: 'alice' });
  await cluster.settle();
  const attached = { stream: 'a-1.1', seq: 0, recovered: true, taken: 0, resumeWindowMs: 60_000 };
  t.same(link.take(session), [['attached', session, attached]]);
  t.equal(link.link.sessionCount, 1);
  t.equal(cluster.node('a').held('alice').sessions[0]?.edge, 'e1');
});

t.test('what one turn of the event loop brings forth is one link message', async (t) => {
  const { cluster, a, link } = await oneLink();
  const before = link.messages.length;
  a.send('alice', '1', '2');
  a.send('alice', '3');
  t.equal(link.messages.length, before);
  await cluster.settle();
  t.equal(link.messages.length, before + 1);
});

t.test('a quarter of a mebibyte does not wait for the end of the turn', async (t) => {
  const { cluster, a, link, seqs } = await oneLink();
  const before = link.messages.length;
  const text = 'x'.repeat(100_000);
  a.send('alice', text, text, text, text);
  t.equal(link.messages.length, before + 1);
  t.ok(link.messages.at(-1)! >= 262_144);
  await cluster.settle();
  t.equal(link.messages.length, before + 2);
  t.same(seqs(), [1, 2, 3, 4]);
});

t.test('what an edge says of its sessions', async (t) => {
  await t.test('acknowledged: it is let go of', async (t) => {
    const { a, link, session } = await oneLink();
    a.send('alice', '1', '2');
    link.say((writer) => writer.ack(session, 1));
    t.equal(a.held('alice').inbox?.firstKept, 2);
  });

  await t.test('detached: it is waited for', async (t) => {
    const { cluster, a, link, session } = await oneLink();
    link.say((writer) => writer.detach(session, 0));
    t.equal(link.link.sessionCount, 0);
    t.same(a.send('alice', '1'), ['queued']);
    await cluster.pass(61_000);
    t.same(a.work.endings, [{ session: 'phone', code: 1006, reason: 'did not come back' }]);
  });

  await t.test('detached, a plain one: what was written to it is acknowledged', async (t) => {
    const cluster = new Cluster(['a']);
    const a = cluster.node('a');
    const link = new TestLink(a, 'e1');
    const session = link.attach('plain', { user: 'alice', acknowledges: false });
    a.send('alice', '1', '2', '3');
    link.say((writer) => writer.detach(session, 2));
    t.equal(a.held('alice').inbox?.firstKept, 3);
  });

  await t.test('closed: it is over', async (t) => {
    const { a, link, session } = await oneLink();
    link.say((writer) => writer.closed(session, 1001, 'gone'));
    t.same(a.work.endings, [{ session: 'phone', code: 1001, reason: 'gone' }]);
    t.equal(a.known('alice'), undefined);
  });

  await t.test('of sessions that are over: nothing, and that is counted', async (t) => {
    const { a, link, session } = await oneLink();
    link.say((writer) => {
      writer.closed(session, 1000, '');
      writer.client(session, message(1));
      writer.ack(session, 1);
      writer.pause(session);
      writer.continue(session);
      writer.detach(session, 1);
      writer.closed(session, 1000, '');
    });
    t.equal(a.holder.linkCounters.stale, 6);
    t.equal(link.closed, undefined);
    t.same(a.work.received, []);
  });
});

t.test('what clients send', async (t) => {
  await t.test('comes to the application in order, once', async (t) => {
    const { cluster, a, link, session } = await oneLink();
    a.work.isQuick = false;
    link.say((writer) => {
      writer.client(session, message(1, 'one'));
      writer.client(session, message(2, 'two'));
      writer.client(session, message(1, 'one'));
    });
    t.same(
      a.work.received.map(({ number, text }) => [number, text]),
      [
        [1, 'one'],
        [2, 'two'],
      ],
    );
    await cluster.settle();
    t.same(link.take(session), [], 'what waits is answered when its time has come');
    a.work.received[1]?.session.processed(2);
    await cluster.settle();
    t.same(link.take(session), [['taken', session, 2]]);
  });

  await t.test('again after it was processed: that is said again, and nothing done', async (t) => {
    const { cluster, a, link, session } = await oneLink();
    link.say((writer) => writer.client(session, message(1)));
    await cluster.settle();
    link.take(session);
    link.say((writer) => writer.client(session, message(1)));
    await cluster.settle();
    t.same(link.take(session), [['taken', session, 1]]);
    t.equal(a.work.received.length, 1);
  });

  await t.test('to another user, again: its receipt may be lost, and it is the same message', async (t) => {
    const { a, link, session } = await oneLink();
    const send = (number: number, repeated: boolean) => {
      const content = {
        kind: 'send',
        binary: false,
        to: 'bob',
        waitForClient: false,
        data: Buffer.from('x'),
      } as const;
      const frame = encodeClientFrame({ ...content, number, repeated });
      link.say((writer) => writer.client(session, frame));
    };
    send(1, false);
    send(1, false);
    t.equal(a.work.received.length, 2);
    send(1, true);
    send(7, true);
    t.equal(a.work.received.length, 4, 'also when a holder took it that is lost');
  });

  await t.test('to a session that this node did not know: it goes on with its number', async (t) => {
    const { a, link, session } = await oneLink();
    link.say((writer) => writer.client(session, message(58)));
    t.same(
      a.work.received.map(({ number }) => number),
      [58],
    );
    t.equal(a.held('alice').sessionOf('phone')?.taken, 58);
  });
});

t.test('what the application says to a session', async (t) => {
  const { cluster, a, link, session } = await oneLink();
  const there = a.held('alice').sessionOf('phone')!;

  await t.test('an answer, and the receipt of a message', async (t) => {
    there.reply('text');
    there.reply(Buffer.from('bytes'));
    there.link?.receipt(session, 3, { user: 'bob', status: 'delivered', sessions: 1 });
    await cluster.settle();
    t.same(link.take(session), [
      ['reply', session, 'text'],
      ['reply', session, 'bytes'],
      ['receipt', session, 3, { user: 'bob', status: 'delivered', sessions: 1 }],
    ]);
  });

  await t.test('that it is over, once', async (t) => {
    there.close({ code: 4500, name: 'disconnected' }, 'disconnected');
    link.link.end(session, 4500, 'again');
    link.link.repin(session, 'b', '');
    await cluster.settle();
    t.same(link.take(session), [['close', session, 4500, 'disconnected']]);
    t.equal(link.link.sessionCount, 0);
  });
});
