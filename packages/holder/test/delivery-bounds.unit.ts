import t from 'tap';
import { FakeLink } from './kit/fake-link.js';
import { attach, here, messageTo, OneNode } from './kit/one-node.js';

const statuses = (receipts: readonly { status: string; sessions?: number }[]): readonly unknown[] =>
  receipts.map(({ status, sessions }) => (sessions === undefined ? status : `${status} ${sessions}`));

t.test('the inbox is at its bound', async (t) => {
  await t.test('and nobody reads along: the new message is refused, the old ones stay', async (t) => {
    const node = new OneNode({ maxMessages: 2 });
    const held = node.hold();
    const link = new FakeLink();
    held.detach(attach(held, link, 'a').session);
    const receipts = node.send(held, 'x', 'y', 'z');
    t.same(statuses(receipts), ['queued', 'queued', 'overloaded']);
    t.equal(receipts[2]?.error?.message, 'the user is away and its inbox is at its bound');
    const { recovered } = attach(held, link, 'a', { positions: here(held, 0) });
    t.ok(recovered);
    t.same(link.takeSeqs(), [1, 2]);
    t.same(statuses(node.send(held, 'w')), ['delivered 1']);
    t.same(link.takeSeqs(), [3], 'a refused message has no number');
  });

  await t.test('and somebody reads along: the oldest goes, and who was behind is told', async (t) => {
    const node = new OneNode({ maxMessages: 2 });
    const held = node.hold();
    const [one, other] = [new FakeLink(), new FakeLink()];
    attach(held, one, 'a');
    const { session } = attach(held, other, 'b');
    session.paused = true;
    t.same(statuses(node.send(held, 'x', 'y', 'z')), ['delivered 1', 'delivered 1', 'delivered 1']);
    t.same(one.takeSeqs(), [1, 2, 3]);
    session.paused = false;
    held.catchUp(session);
    const [gap, ...messages] = other.take();
    t.same(gap, ['gap', session.number, held.stream, 1, 0]);
    t.same(
      messages.map(([, , seq, , , text]) => [seq, text]),
      [
        [2, 'y'],
        [3, 'z'],
      ],
    );
  });

  await t.test('of the memory of the node: the new message is refused, the old ones stay', async (t) => {
    const node = new OneNode({ budgetBytes: 1024 });
    const held = node.hold();
    const link = new FakeLink();
    held.detach(attach(held, link, 'a').session);
    const text = 'x'.repeat(300);
    t.same(statuses(node.send(held, text, text, text, text)), ['queued', 'queued', 'queued', 'overloaded']);
    t.ok(attach(held, link, 'a', { positions: here(held, 0) }).recovered);
    t.same(link.takeSeqs(), [1, 2, 3]);
  });

  await t.test('by a message that is larger than it, while somebody reads along', async (t) => {
    const node = new OneNode({ maxBytes: 1000 });
    const held = node.hold();
    const [one, other] = [new FakeLink(), new FakeLink()];
    attach(held, one, 'a');
    held.detach(attach(held, other, 'b').session);
    t.same(statuses(node.send(held, 'x', 'y'.repeat(2000), 'z')), [
      'delivered 1',
      'delivered 1',
      'delivered 1',
    ]);
    t.same(one.takeSeqs(), [1, 2, 3]);
    const { recovered } = attach(held, other, 'b', { positions: here(held, 0) });
    t.notOk(recovered);
    t.same(other.takeSeqs(), [3]);
  });

  await t.test('by a message that is larger than it: when it comes again it is known', async (t) => {
    const node = new OneNode({ maxBytes: 1000 });
    const held = node.hold();
    const link = new FakeLink();
    attach(held, link, 'a', { acknowledges: false });
    const large = messageTo('alice', 'y'.repeat(2000), { id: 'large' });
    t.same(statuses(node.deliver([large]).receipts), ['delivered 1']);
    t.same(statuses(node.send(held, 'z')), ['delivered 1']);
    t.same(statuses(node.deliver([{ ...large, repeated: true }]).receipts), ['delivered 1']);
    t.same(link.takeSeqs(), [1, 2]);
  });

  await t.test('by a message that nobody could be given: when it comes again it is given', async (t) => {
    const node = new OneNode({ maxBytes: 1000 });
    const held = node.hold();
    const link = new FakeLink();
    attach(held, link, 'a', { acknowledges: false });
    link.room = 1;
    const large = messageTo('alice', 'y'.repeat(2000), { id: 'large' });
    const first = messageTo('alice', 'x', { id: 'first' });
    const last = messageTo('alice', 'z', { id: 'last' });
    t.same(statuses(node.deliver([first, large, last]).receipts), ['delivered 1', 'overloaded', 'queued']);
    const again = [first, large, last].map((message) => ({ ...message, repeated: true }));
    [link.isOpen, link.room] = [true, 10];
    held.catchUp(held.sessionOf('a')!);
    const receipts = statuses(node.deliver(again).receipts);
    t.same(
      receipts,
      ['delivered 1', 'delivered 1', 'queued'],
      'each as it was said before, but what was lost',
    );
    t.same(
      link.take().flatMap(([frame, , , , , text]) => (frame === 'message' ? [String(text)[0]] : [])),
      ['x', 'z', 'y'],
    );
  });

  await t.test(
    'by a message that is larger than it, and the link is full just then: it is lost, and that is said',
    async (t) => {
      const node = new OneNode({ maxBytes: 1000 });
      const held = node.hold();
      const link = new FakeLink();
      attach(held, link, 'a');
      link.room = 1;
      const receipts = node.send(held, 'x', 'y'.repeat(2000), 'z');
      t.same(statuses(receipts), ['delivered 1', 'overloaded', 'queued']);
    },
  );
});

t.test('a message that may have been tried before', async (t) => {
  const again = { id: 'id-1', repeated: true };

  await t.test('and was delivered: it is not delivered again, and its receipt says so', async (t) => {
    const node = new OneNode();
    const held = node.hold();
    const link = new FakeLink();
    const { session } = attach(held, link, 'a');
    node.deliver([messageTo('alice', 'x', { id: 'id-1' })]);
    held.acknowledged(session, 1);
    const { receipts } = node.deliver([messageTo('alice', 'x', again), messageTo('alice', 'y')]);
    t.same(statuses(receipts), ['delivered 1', 'delivered 1']);
    t.same(link.takeSeqs(), [1, 2]);
  });

  await t.test('and waits in the inbox: queued, once', async (t) => {
    const node = new OneNode();
    const held = node.hold();
    held.detach(attach(held, new FakeLink(), 'a').session);
    node.deliver([messageTo('alice', 'x', { id: 'id-1' })]);
    const { receipts } = node.deliver([messageTo('alice', 'x', { ...again, waitForClient: true })]);
    t.same(receipts, [{ user: 'alice', status: 'queued', stream: held.stream, seq: 1 }]);
    t.equal(held.inbox?.keptMessages, 1);
  });

  await t.test('and was not seen here: it is delivered', async (t) => {
    const node = new OneNode();
    const held = node.hold();
    attach(held, new FakeLink(), 'a');
    t.same(statuses(node.deliver([messageTo('alice', 'x', again)]).receipts), ['delivered 1']);
  });

  await t.test('twice in one batch: once', async (t) => {
    const node = new OneNode();
    const held = node.hold();
    const link = new FakeLink();
    attach(held, link, 'a');
    const batch = [messageTo('alice', 'x', again), messageTo('alice', 'x', again), messageTo('alice', 'y')];
    t.same(statuses(node.deliver(batch).receipts), ['delivered 1', 'delivered 1', 'delivered 1']);
    t.same(link.takeSeqs(), [1, 2]);
  });

  await t.test('another that only has the same id is not taken for it', async (t) => {
    const node = new OneNode();
    const held = node.hold();
    const link = new FakeLink();
    attach(held, link, 'a');
    const batch = [messageTo('alice', 'x', { id: 'id-1' }), messageTo('alice', 'y', { id: 'id-1' })];
    t.same(statuses(node.deliver(batch).receipts), ['delivered 1', 'delivered 1']);
    t.same(link.takeSeqs(), [1, 2]);
  });
});

t.test('the numbers of a stream run out: everybody goes on in a new one', async (t) => {
  const node = new OneNode();
  const held = node.hold();
  held.renewStream(0xffff_0000, 'old');
  const [one, other] = [new FakeLink(), new FakeLink()];
  const { session } = attach(held, one, 'a');
  const away = attach(held, other, 'b').session;
  held.detach(away);
  held.absorbed = [{ stream: 'older', from: 3, at: 9 }];
  t.same(statuses(node.send(held, 'x')), ['delivered 1']);
  t.same(one.takeSeqs(), [0xffff_0000]);
  t.same(statuses(node.send(held, 'y')), ['delivered 1']);
  t.not(held.stream, 'old');
  t.same(
    one
      .take()
      .slice(0, 2)
      .map(([frame]) => frame),
    ['gap', 'message'],
  );
  t.equal(session.written, 1);
  t.equal(held.absorbed, undefined);
  const back = attach(held, other, 'b', { positions: [{ stream: 'old', seq: 0xffff_0000 }] });
  t.match(back, { seq: 0, recovered: false });
  t.same(other.takeSeqs(), [1]);
});
