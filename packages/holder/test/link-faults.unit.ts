import t from 'tap';
import { Cluster } from './kit/cluster.js';
import { oneLink } from './kit/one-link.js';
import { TestLink } from './kit/test-edge.js';

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
        const { a, link, session } = await oneLink();
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
    const { cluster, a, link } = await oneLink();
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
    const { a, link } = await oneLink();
    const other = new TestLink(a, 'e2');
    other.attach('phone', { user: 'alice', positions: [{ stream: 'a-1.1', seq: 0 }] });
    link.link.gone();
    t.same(a.send('alice', '1'), ['delivered']);
  });

  await t.test('what was on its way to it is nothing any more', async (t) => {
    const { cluster, a, link } = await oneLink();
    const before = link.messages.length;
    a.send('alice', '1');
    link.link.gone();
    await cluster.settle();
    t.equal(link.messages.length, before);
  });
});

t.test('the same process of an edge opens another link: the older one is out of date', async (t) => {
  const { a, link } = await oneLink();
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
  const { cluster, a, link } = await oneLink();
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
