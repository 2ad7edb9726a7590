import { encodeClientFrame } from '@pinwheel/protocol';
import t from 'tap';
import { Cluster } from './kit/cluster.js';
import { TestClient, TestLink } from './kit/test-edge.js';

const keepAliveMs = 6000;

/** A node with a link that a client of `alice` is attached by. */
async function start(limits = {}) {
  const cluster = new Cluster(['a'], { keepAliveMs, ...limits });
  const a = cluster.node('a');
  const link = new TestLink(a, 'e1');
  const session = link.attach('phone', { user: 'alice' });
  await cluster.settle();
  link.take(session);
  const seqs = () =>
    link
      .take(session)
      .filter(([frame]) => frame === 'message')
      .map(([, , seq]) => seq);
  return { cluster, a, link, session, seqs };
}

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
  const { cluster, a, link } = await start();
  const before = link.messages.length;
  a.send('alice', '1', '2');
  a.send('alice', '3');
  t.equal(link.messages.length, before);
  await cluster.settle();
  t.equal(link.messages.length, before + 1);
});

t.test('a quarter of a mebibyte does not wait for the end of the turn', async (t) => {
  const { cluster, a, link, seqs } = await start();
  const before = link.messages.length;
  const text = 'x'.repeat(100_000);
  a.send('alice', text, text, text, text);
  t.equal(link.messages.length, before + 1);
  t.ok(link.messages.at(-1)! >= 262_144);
  await cluster.settle();
  t.equal(link.messages.length, before + 2);
  t.same(seqs(), [1, 2, 3, 4]);
});

t.test('a client whose edge says that it does not read', async (t) => {
  const { cluster, a, link, session, seqs } = await start();
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
      const { cluster, a, link, seqs } = await start({ maxLinkUnreadBytes: 1000 });
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
    const { cluster, a, link, seqs } = await start({ maxLinkUnreadBytes: 1000, maxInboxBytes: 1_000_000 });
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
      const { cluster, link } = await start();
      await cluster.pass(60_000);
      const pings = link.said.filter(([frame]) => frame === 'ping').length;
      t.ok(pings >= 25 && pings <= 31, `${pings} pings in a minute`);
      t.equal(link.closed, undefined);
    },
  );

  await t.test('one that does not answer is given up, and its sessions are away', async (t) => {
    const { cluster, a, link } = await start();
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
    const { cluster, link, session } = await start();
    link.isAlive = false;
    for (let i = 0; i < 20; i++) {
      await cluster.pass(1000);
      link.say((writer) => writer.ack(session, 0));
    }
    t.equal(link.closed, undefined);
    t.equal(link.said.filter(([frame]) => frame === 'ping').length, 0);
  });

  await t.test('the node answers, too', async (t) => {
    const { cluster, link } = await start();
    link.say((writer) => writer.ping(7));
    await cluster.settle();
    t.same(link.said.at(-1), ['pong', 7]);
  });
});

t.test('a node that stood still does not know whether its edges are still there', async (t) => {
  await t.test('until they have answered nothing is written to them', async (t) => {
    const { cluster, a, link, seqs } = await start();
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
    const { cluster, a, link, seqs } = await start();
    link.isAlive = false;
    a.stoodStillMs += keepAliveMs;
    a.send('alice', '1');
    link.say((writer) => writer.pong(0));
    await cluster.settle();
    t.same(seqs(), []);
    t.notOk(link.link.isOpen);
  });

  await t.test('and one that does not answer within the time is given up', async (t) => {
    const { cluster, a, link } = await start();
    link.isAlive = false;
    a.stoodStillMs += 60_000;
    a.send('alice', '1');
    await cluster.pass(keepAliveMs - 500);
    t.equal(link.closed, undefined, 'the edge gets its time');
    await cluster.pass(1000);
    t.same(link.closed, { code: 1001, reason: 'no answer' });
  });

  await t.test('also when nothing is to be delivered: as soon as it notices', async (t) => {
    const { cluster, a, link } = await start();
    link.isAlive = false;
    a.stoodStillMs += keepAliveMs;
    await cluster.pass(300);
    t.notOk(link.link.isOpen);
  });

  await t.test('a moment does not count', async (t) => {
    const { a } = await start();
    a.stoodStillMs += keepAliveMs / 3;
    t.same(a.send('alice', '1'), ['delivered']);
  });
});

t.test('what an edge says of its sessions', async (t) => {
  await t.test('acknowledged: it is let go of', async (t) => {
    const { a, link, session } = await start();
    a.send('alice', '1', '2');
    link.say((writer) => writer.ack(session, 1));
    t.equal(a.held('alice').inbox?.firstKept, 2);
  });

  await t.test('detached: it is waited for', async (t) => {
    const { cluster, a, link, session } = await start();
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
    const { a, link, session } = await start();
    link.say((writer) => writer.closed(session, 1001, 'gone'));
    t.same(a.work.endings, [{ session: 'phone', code: 1001, reason: 'gone' }]);
    t.equal(a.known('alice'), undefined);
  });

  await t.test('of sessions that are over: nothing, and that is counted', async (t) => {
    const { a, link, session } = await start();
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
    const { cluster, a, link, session } = await start();
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
    const { cluster, a, link, session } = await start();
    link.say((writer) => writer.client(session, message(1)));
    await cluster.settle();
    link.take(session);
    link.say((writer) => writer.client(session, message(1)));
    await cluster.settle();
    t.same(link.take(session), [['taken', session, 1]]);
    t.equal(a.work.received.length, 1);
  });

  await t.test('to another user, again: its receipt may be lost, and it is the same message', async (t) => {
    const { a, link, session } = await start();
    const send = encodeClientFrame({
      kind: 'send',
      number: 1,
      binary: false,
      to: 'bob',
      waitForClient: false,
      data: Buffer.from('x'),
    });
    link.say((writer) => writer.client(session, send));
    link.say((writer) => writer.client(session, send));
    t.equal(a.work.received.length, 2);
  });

  await t.test('to a session that this node did not know: it goes on with its number', async (t) => {
    const { a, link, session } = await start();
    link.say((writer) => writer.client(session, message(58)));
    t.same(
      a.work.received.map(({ number }) => number),
      [58],
    );
    t.equal(a.held('alice').sessionOf('phone')?.taken, 58);
  });
});

t.test(
  'a frame that breaks the protocol: it is counted, the link is closed, its sessions are away',
  async (t) => {
    const cases: Readonly<Record<string, (link: TestLink, session: number) => void>> = {
      'of an unknown type': (link) => link.sayBytes(99, 0, 0, 0, 0),
      'that is cut off': (link) => link.sayBytes(9, 4, 0, 0, 0, 1),
      'an empty message': (link) => link.sayBytes(),
      'a version that the node does not speak': (link) => link.say((writer) => writer.hello(2, 'e1', 'i')),
      'an attach of a session that is attached': (link, session) =>
        link.say((writer) =>
          writer.attach({
            session,
            acknowledges: true,
            resumes: false,
            epoch: 1,
            key: 'tablet',
            user: 'alice',
            fingerprint: '',
            handoff: '',
            positions: [],
          }),
        ),
      'a client’s frame that is none': (link, session) =>
        link.say((writer) => writer.client(session, Uint8Array.of(77, 0))),
    };
    for (const [name, breakIt] of Object.entries(cases)) {
      await t.test(name, async (t) => {
        const { a, link, session } = await start();
        breakIt(link, session);
        t.equal(link.closed?.code, 1002);
        t.ok(link.closed!.reason.length > 10);
        t.match(a.holder.linkCounters, { protocolErrors: 1, lost: 1 });
        t.same(a.send('alice', '1'), ['queued']);
        link.say((writer) => writer.ping(1));
        t.equal(a.holder.linkCounters.protocolErrors, 1, 'nothing is heard any more');
      });
    }

    await t.test('an attach before HELLO', async (t) => {
      const cluster = new Cluster(['a']);
      const link = new TestLink(cluster.node('a'), '');
      link.attach('phone', { user: 'alice' });
      t.match(link.closed, { code: 1002, reason: /HELLO/ });
      t.equal(cluster.node('a').known('alice'), undefined);
    });

    await t.test('an attach of a session that is being placed', async (t) => {
      const cluster = new Cluster(['a', 'b']);
      const user = cluster.userOf([['a', 'b'], 'a']);
      cluster.network.fateOf = () => 'hold-request';
      const link = new TestLink(cluster.node('a'), 'e1');
      const session = link.attach('phone', { user });
      link.attach('tablet', { user, session });
      t.match(link.closed, { code: 1002, reason: `session ${session} is attached already` });
    });
  },
);

t.test('a link is lost', async (t) => {
  await t.test('only sessions that are pinned to it are away', async (t) => {
    const { cluster, a, link } = await start();
    const other = new TestLink(a, 'e2');
    other.attach('tablet', { user: 'alice' });
    const moved = link.attach('laptop', { user: 'alice' });
    other.attach('laptop', { user: 'alice', epoch: 2, positions: [] });
    await cluster.settle();
    t.match(link.take(moved).at(-1), ['close', moved, 4505]);
    link.link.gone();
    link.link.gone();
    t.equal(a.holder.linkCounters.lost, 1);
    const live = a.held('alice').sessions.filter(({ isLive }) => isLive);
    t.same(
      live.map(({ id }) => id),
      ['tablet', 'laptop'],
    );
  });

  await t.test('a session that has another link by then is left alone', async (t) => {
    const { a, link } = await start();
    const other = new TestLink(a, 'e2');
    other.attach('phone', { user: 'alice', positions: [{ stream: 'a-1.1', seq: 0 }] });
    link.link.gone();
    t.same(a.send('alice', '1'), ['delivered']);
  });

  await t.test('what was on its way to it is nothing any more', async (t) => {
    const { cluster, a, link } = await start();
    const before = link.messages.length;
    a.send('alice', '1');
    link.link.gone();
    await cluster.settle();
    t.equal(link.messages.length, before);
  });
});

t.test('the same process of an edge opens another link: the older one is out of date', async (t) => {
  const { a, link } = await start();
  const others = [new TestLink(a, 'e2', 'e1-1'), new TestLink(a, 'e1', 'e1-2')];
  t.equal(link.closed, undefined);
  const newer = new TestLink(a, 'e1', 'e1-1');
  t.same(link.closed, { code: 1001, reason: 'the edge has a newer link' });
  t.same(
    [...others, newer].map(({ closed }) => closed),
    [undefined, undefined, undefined],
  );
  t.equal(a.holder.linkCount, 3);
});

t.test('the node closes its links', async (t) => {
  const { cluster, a, link } = await start();
  const other = new TestLink(a, 'e2');
  const before = link.messages.length;
  a.send('alice', 'last words');
  a.holder.closeLinks(1012, 'service restart');
  t.equal(link.messages.length, before + 1, 'what was to be said is said');
  t.same([link.closed, other.closed], Array(2).fill({ code: 1012, reason: 'service restart' }));
  link.link.close(1012, 'again');
  await cluster.settle();
  t.equal(a.holder.linkCounters.lost, 2);
});

t.test('what the application says to a session', async (t) => {
  const { cluster, a, link, session } = await start();
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
