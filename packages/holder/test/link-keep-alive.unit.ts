import { encodeClientFrame } from '@pinwheel/protocol';
import t from 'tap';
import { Cluster } from './kit/cluster.js';
import { keepAliveMs, oneLink } from './kit/one-link.js';
import { TestClient } from './kit/test-edge.js';

function saying(number: number, text: string): Uint8Array {
  return encodeClientFrame({ kind: 'message', number, binary: false, data: Buffer.from(text) });
}

t.test('a client whose edge says that it does not read', async (t) => {
  const { cluster, a, link, session, seqs } = await oneLink();
  link.say((writer) => writer.pause(session));
  t.same(a.send('alice', '1'), ['queued']);
  await cluster.settle();
  t.same(seqs(), []);
  link.say((writer) => writer.continue(session));
  await cluster.settle();
  t.same(seqs(), [1]);
});

t.test('an edge that does not read', async (t) => {
  await t.test(
    'is written no more messages than to its bound, and what it missed when it has read',
    async (t) => {
      const { cluster, a, link, seqs } = await oneLink({ maxLinkUnreadBytes: 1000 });
      link.unreadBytes = 1001;
      t.same(a.send('alice', '1'), ['delivered'], 'it was not known yet');
      await cluster.settle();
      t.notOk(link.link.isOpen);
      t.same(a.send('alice', '2', '3'), ['queued', 'queued']);
      link.link.drained();
      await cluster.settle();
      t.same(seqs(), [1], 'not before it has read enough');
      link.unreadBytes = 1000;
      link.link.drained();
      await cluster.settle();
      t.same(seqs(), [2, 3]);
      t.same(a.send('alice', '4'), ['delivered']);
      link.link.drained();
    },
  );

  await t.test('in the middle of a batch: the rest of it is kept', async (t) => {
    const { cluster, a, link, seqs } = await oneLink({ maxLinkUnreadBytes: 1000, maxInboxBytes: 1_000_000 });
    link.unreadBytes = 1001;
    const text = 'x'.repeat(100_000);
    t.same(a.send('alice', text, text, text, text), ['delivered', 'delivered', 'delivered', 'queued']);
    await cluster.settle();
    t.same(seqs(), [1, 2, 3]);
    link.unreadBytes = 0;
    link.link.drained();
    await cluster.settle();
    t.same(seqs(), [4]);
  });
});

t.test('keep-alive', async (t) => {
  await t.test(
    'an edge that is silent for a third of the time is asked, and goes on when it answers',
    async (t) => {
      const { cluster, link } = await oneLink();
      await cluster.pass(60_000);
      const pings = link.said.filter(([frame]) => frame === 'ping').length;
      t.ok(pings >= 25 && pings <= 31, `${pings} pings in a minute`);
      t.equal(link.closed, undefined);
    },
  );

  await t.test('one that does not answer is given up, and its sessions are away', async (t) => {
    const { cluster, a, link } = await oneLink();
    link.isAlive = false;
    await cluster.pass(keepAliveMs - 500);
    t.equal(link.closed, undefined);
    await cluster.pass(1000);
    t.same(link.closed, { code: 1001, reason: 'no answer' });
    t.equal(a.holder.linkCount, 0);
    t.same(a.send('alice', '1'), ['queued']);
    t.match(a.holder.linkCounters, { opened: 1, lost: 1, protocolErrors: 0 });
  });

  await t.test('whatever it says counts', async (t) => {
    const { cluster, link, session } = await oneLink();
    link.isAlive = false;
    for (let i = 0; i < 20; i++) {
      await cluster.pass(1000);
      link.say((writer) => writer.ack(session, 0));
    }
    t.equal(link.closed, undefined);
    t.equal(link.said.filter(([frame]) => frame === 'ping').length, 0);
  });

  await t.test('the node answers, too', async (t) => {
    const { cluster, link } = await oneLink();
    link.say((writer) => writer.ping(7));
    await cluster.settle();
    t.same(link.said.at(-1), ['pong', 7]);
  });
});

t.test('a node that stood still does not know whether its edges are still there', async (t) => {
  await t.test('until they have answered nothing is written to them', async (t) => {
    const { cluster, a, link, seqs } = await oneLink();
    link.isAlive = false;
    a.stoodStillMs += keepAliveMs;
    t.same(a.send('alice', '1'), ['queued']);
    await cluster.settle();
    t.same(seqs(), []);
    const ping = link.said.findLast(([frame]) => frame === 'ping');
    link.say((writer) => writer.pong(ping![1] as number));
    await cluster.settle();
    t.same(seqs(), [1]);
    t.same(a.send('alice', '2'), ['delivered']);
  });

  await t.test('and an answer to an earlier question says nothing', async (t) => {
    const { cluster, a, link, seqs } = await oneLink();
    link.isAlive = false;
    a.stoodStillMs += keepAliveMs;
    a.send('alice', '1');
    link.say((writer) => writer.pong(0));
    await cluster.settle();
    t.same(seqs(), []);
    t.notOk(link.link.isOpen);
  });

  await t.test('and one that does not answer within the time is given up', async (t) => {
    const { cluster, a, link } = await oneLink();
    link.isAlive = false;
    a.stoodStillMs += 60_000;
    a.send('alice', '1');
    await cluster.pass(keepAliveMs - 500);
    t.equal(link.closed, undefined, 'the edge gets its time');
    await cluster.pass(1000);
    t.same(link.closed, { code: 1001, reason: 'no answer' });
  });

  await t.test('also when nothing is to be delivered: as soon as it notices', async (t) => {
    const { cluster, a, link } = await oneLink();
    link.isAlive = false;
    a.stoodStillMs += keepAliveMs;
    await cluster.pass(300);
    t.notOk(link.link.isOpen);
  });

  await t.test(
    'what they said meanwhile waits, too, and is done in its order when they answer',
    async (t) => {
      const { cluster, a, link, session, seqs } = await oneLink();
      link.isAlive = false;
      a.stoodStillMs += keepAliveMs;
      link.say((writer) => writer.client(session, saying(1, 'one')));
      const other = link.attach('tablet', { user: 'alice' });
      link.say((writer) => writer.client(other, saying(1, 'from the other')));
      link.say((writer) => writer.client(session, saying(2, 'two')));
      link.say((writer) => writer.closed(other, 1000, 'bye'));
      t.same([a.work.received, a.work.endings, link.take(other)], [[], [], []]);
      t.same(a.send('alice', '1'), ['queued']);
      await cluster.settle();
      const ping = link.said.findLast(([frame]) => frame === 'ping');
      link.say((writer) => {
        writer.pause(session);
        writer.pong(ping![1] as number);
        writer.client(session, saying(3, 'three'));
      });
      await cluster.settle();
      t.same(
        a.work.received.map(({ text }) => text),
        ['one', 'from the other', 'two', 'three'],
      );
      t.match(a.work.endings, [{ session: 'tablet', code: 1000 }]);
      t.same(seqs(), [], 'its client does not read');
      link.say((writer) => writer.continue(session));
      link.say((writer) => writer.client(session, saying(4, 'four')));
      await cluster.settle();
      t.same(seqs(), [1]);
      t.equal(a.work.received.at(-1)?.text, 'four');
    },
  );

  await t.test('and nothing of it is done when they have given the link up', async (t) => {
    const { cluster, a, link, session } = await oneLink();
    link.isAlive = false;
    a.stoodStillMs += keepAliveMs;
    link.say((writer) => writer.client(session, saying(1, 'processed elsewhere long ago')));
    link.link.gone();
    await cluster.settle();
    t.same(a.work.received, []);
    t.same(a.held('alice').sessions.length, 1, 'its session is away');
  });

  await t.test('and when they say too much while they are waited for they are given up', async (t) => {
    const { a, link, session } = await oneLink({ maxLinkUnreadBytes: 10_000 });
    link.isAlive = false;
    a.stoodStillMs += keepAliveMs;
    for (let number = 1; number <= 8; number++) {
      t.equal(link.closed, undefined);
      link.say((writer) => writer.client(session, saying(number, 'x'.repeat(1000))));
    }
    t.same(link.closed, { code: 1001, reason: 'no answer' });
    t.same(a.work.received, []);
  });

  await t.test('a moment does not count', async (t) => {
    const { a } = await oneLink();
    a.stoodStillMs += keepAliveMs / 3;
    t.same(a.send('alice', '1'), ['delivered']);
  });
});

t.test('a client that was behind for too long is told so, and goes on', async (t) => {
  const cluster = new Cluster(['a'], { maxInboxMessages: 2 });
  const a = cluster.node('a');
  const [reader, behind] = ['reader', 'behind'].map(
    (key) => new TestClient((id) => cluster.node(id), 'alice', key),
  );
  reader!.attach('a');
  behind!.attach('a');
  await cluster.settle();
  behind!.link.say((writer) => writer.pause(behind!.number));
  a.send('alice', '1', '2', '3', '4');
  await cluster.settle();
  behind!.link.say((writer) => writer.continue(behind!.number));
  await cluster.settle();
  t.same(reader!.texts, ['1', '2', '3', '4']);
  t.same(behind!.texts, ['3', '4']);
  t.same(behind!.recovered, [true, false]);
});

t.test('however short the keep-alive is, a node whose timers come in time takes messages', async (t) => {
  for (const keepAliveMs of [100, 400, 500, 6000]) {
    const cluster = new Cluster(['a'], { keepAliveMs });
    const { holder } = cluster.node('a');
    for (let ms = 0; ms < 3000; ms += 10) {
      await cluster.clock.pass(10);
      if (holder.beforeDelivery()) t.fail(`at ${ms} ms with ${keepAliveMs}`);
    }
    holder.stop();
    t.pass(`${keepAliveMs}`);
  }
});
