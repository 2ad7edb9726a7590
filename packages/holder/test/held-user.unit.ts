import t from 'tap';
import { restore, stateOf } from '../src/moves/merge.js';
import { isOver } from '../src/users/ack-waits.js';
import { FakeLink } from './kit/fake-link.js';
import { attach, attachRequest, here, OneNode } from './kit/one-node.js';

t.test('a session that is attached for the first time begins at the end of the stream', async (t) => {
  const node = new OneNode();
  const held = node.hold();
  const [one, other] = [new FakeLink('e1'), new FakeLink('e2')];
  const first = attach(held, one, 'a');
  t.match(first, { seq: 0, recovered: true });
  t.equal(held.stream, 's1');
  node.send(held, 'x', 'y');
  const second = attach(held, other, 'b');
  t.match(second, { seq: 2, recovered: true });
  t.same(other.takeSeqs(), []);
  t.equal(held.linkSessions, 2);
  t.same([first.session.edge, second.session.edge], ['e1', 'e2']);
  t.equal(node.users.sessionCount, 2);
});

t.test('a session comes back', async (t) => {
  await t.test('and goes on where its position says, whatever it has acknowledged', async (t) => {
    const node = new OneNode();
    const held = node.hold();
    const { session } = attach(held, new FakeLink(), 'a');
    node.send(held, '1', '2', '3', '4');
    held.acknowledged(session, 1);
    held.detach(session);
    const link = new FakeLink('e2');
    const back = attach(held, link, 'a', { positions: here(held, 2), epoch: 2 });
    t.match(back, { seq: 2, recovered: true });
    t.equal(back.session, session);
    t.same(link.takeSeqs(), [3, 4]);
    t.match(session, { edge: 'e2', epoch: 2, paused: false });
  });

  await t.test('whose first attach was answered and never heard of: it goes on where it began', async (t) => {
    const node = new OneNode();
    const held = node.hold();
    const { session } = attach(held, new FakeLink(), 'a');
    node.send(held, '1', '2');
    held.detach(session);
    const link = new FakeLink();
    t.match(attach(held, link, 'a'), { seq: 0, recovered: true });
    t.same(link.takeSeqs(), [1, 2]);
  });

  await t.test('when its messages have gone at the bound: it is told', async (t) => {
    const node = new OneNode({ maxMessages: 2 });
    const held = node.hold();
    attach(held, new FakeLink(), 'reader');
    const { session } = attach(held, new FakeLink(), 'a');
    held.detach(session);
    node.send(held, '1', '2', '3', '4');
    const link = new FakeLink();
    t.match(attach(held, link, 'a', { positions: here(held, 1) }), { seq: 2, recovered: false });
    t.same(link.takeSeqs(), [3, 4]);
  });

  await t.test('and is told of what was lost meanwhile, until it has certainly heard of it', async (t) => {
    const node = new OneNode();
    const held = node.hold();
    const { session } = attach(held, new FakeLink(), 'a');
    held.detach(session);
    held.lost(session);
    const comeBack = (seq: number) => {
      const { recovered } = attach(held, new FakeLink(), 'a', { positions: here(held, seq) });
      held.detach(session);
      return recovered;
    };
    t.same([comeBack(0), comeBack(0)], [false, false], 'the answer may have been lost');
    node.send(held, '1');
    t.same([comeBack(1), comeBack(1)], [true, true], 'it has had a message behind it');
  });

  await t.test('and has acknowledged a message behind what was lost: it has heard of it', async (t) => {
    const node = new OneNode();
    const held = node.hold();
    const link = new FakeLink();
    const { session } = attach(held, link, 'a');
    node.send(held, '1');
    held.lost(session);
    t.same(link.take().at(-1), ['gap', session.number, held.stream, 1, 0]);
    held.acknowledged(session, 1);
    t.equal(session.gapAt, 2);
    node.send(held, '2');
    held.acknowledged(session, 2);
    t.equal(session.gapAt, null);
  });

  await t.test('and what an edge has written to its connection it need not have read', async (t) => {
    const node = new OneNode();
    const held = node.hold();
    const { session } = attach(held, new FakeLink(), 'a');
    held.lost(session);
    node.send(held, '1');
    const again = attach(held, new FakeLink(), 'a', { positions: here(held, 1) });
    t.equal(again.recovered, true, 'that is on its way');
    held.detach(session);
    const resumed = attach(held, new FakeLink(), 'a', { epoch: 2, positions: here(held, 0) });
    t.match(resumed, { seq: 0, recovered: false }, 'and was lost with the connection');
    held.detach(session);
    const later = attach(held, new FakeLink(), 'a', { epoch: 3, positions: here(held, 1) });
    t.match(later, { seq: 1, recovered: true });
    t.equal(session.gapAt, null, 'it says itself that it is behind it');
  });

  await t.test('with a position in another stream: it is not sent what stood there before it', async (t) => {
    const node = new OneNode();
    const held = node.hold();
    attach(held, new FakeLink(), 'reader');
    node.send(held, '1', '2', '3');
    held.inbox!.setOrigins(1, [{ stream: 'old', seq: 8 }]);
    held.inbox!.setOrigins(3, [{ stream: 'old', seq: 7 }]);
    const link = new FakeLink();
    const { session } = attach(held, link, 'a', { positions: [{ stream: 'old', seq: 7 }] });
    t.same(link.takeSeqs(), [1, 2]);
    node.send(held, '4');
    t.same(link.takeSeqs(), [4], 'what is skipped does not hold up the next one');
    t.same(session.covers, [{ stream: 'old', seq: 7 }]);
  });
});

t.test('a session that has been in many streams: the newest of them count', async (t) => {
  const node = new OneNode();
  const held = node.hold();
  attach(held, new FakeLink(), 'reader');
  node.send(held, '1', '2');
  held.inbox!.setOrigins(1, [{ stream: 'newest', seq: 3 }]);
  held.inbox!.setOrigins(2, [{ stream: 'oldest', seq: 3 }]);
  const link = new FakeLink();
  const names = ['newest', 'b', 'c', 'd', 'e', 'f', 'g', 'oldest'];
  const { session } = attach(held, link, 'a', { positions: names.map((stream) => ({ stream, seq: 3 })) });
  t.same(link.takeSeqs(), [2], 'what it had of the newest does not come again');
  t.same(
    session.covers?.map(({ stream }) => stream),
    ['e', 'd', 'c', 'b', 'newest'],
    'what is merged later pushes out the oldest',
  );
});

t.test('two connections of one session', async (t) => {
  await t.test('the newer one replaces the older one, which is closed with 4505', async (t) => {
    const node = new OneNode();
    const held = node.hold();
    const [older, newer] = [new FakeLink('e1'), new FakeLink('e2')];
    const { number } = attach(held, older, 'a').session;
    node.send(held, '1');
    older.take();
    const { session } = attach(held, newer, 'a', { epoch: 2, positions: here(held, 1) });
    t.same(older.take(), [['end', number, 4505, 'a newer connection of this session']]);
    t.equal(held.sessions.length, 1);
    t.equal(session.link, newer);
    node.send(held, '2');
    t.same(newer.takeSeqs(), [2]);
    t.same(older.take(), []);
  });

  await t.test('the same epoch by another link: the one before is closed, too', async (t) => {
    const node = new OneNode();
    const held = node.hold();
    const [older, newer] = [new FakeLink('e1'), new FakeLink('e1')];
    const { number } = attach(held, older, 'a').session;
    attach(held, newer, 'a', { positions: here(held, 0) });
    t.same(older.take(), [['end', number, 4505, 'a newer connection of this session']]);
    t.equal(held.sessions.length, 1);
  });

  await t.test('an older one comes late: it is refused, and nothing changes', async (t) => {
    const node = new OneNode();
    const held = node.hold();
    const [older, newer] = [new FakeLink('e1'), new FakeLink('e2')];
    const { session } = attach(held, newer, 'a', { epoch: 2 });
    t.equal(held.attach(attachRequest('a', { epoch: 1 }), older), undefined);
    t.equal(session.link, newer);
    t.same(newer.take(), []);
  });
});

t.test('a client that does not read, until it does', async (t) => {
  const node = new OneNode({ maxMessages: 3 });
  const held = node.hold();
  const link = new FakeLink();
  attach(held, new FakeLink(), 'reader');
  const { session } = attach(held, link, 'a');
  session.paused = true;
  t.notOk(session.isLive);

  await t.test('what is kept follows in order', async (t) => {
    node.send(held, '1', '2');
    held.catchUp(session);
    t.same(link.takeSeqs(), []);
    session.paused = false;
    held.catchUp(session);
    t.same(link.takeSeqs(), [1, 2]);
    held.catchUp(session);
    t.same(link.takeSeqs(), []);
  });

  await t.test('when it was behind for too long it is told of the gap, and goes on', async (t) => {
    session.paused = true;
    session.taken = 7;
    node.send(held, '3', '4', '5', '6', '7');
    session.paused = false;
    held.catchUp(session);
    const [gap, ...messages] = link.take();
    t.same(gap, ['gap', session.number, held.stream, 4, 7]);
    t.same(
      messages.map(([, , seq]) => seq),
      [5, 6, 7],
    );
  });

  await t.test('and the link fills up on the way', async (t) => {
    session.paused = true;
    node.send(held, '8', '9', '10');
    session.paused = false;
    link.room = 2;
    held.catchUp(session);
    t.same(link.takeSeqs(), [8, 9]);
    link.isOpen = true;
    link.room = 9;
    held.catchUp(session);
    t.same(link.takeSeqs(), [10]);
  });
});

t.test('acknowledgements', async (t) => {
  await t.test('what the slowest session has is let go of, paused and away ones included', async (t) => {
    const node = new OneNode();
    const held = node.hold();
    const [a, b, c] = ['a', 'b', 'c'].map((key) => attach(held, new FakeLink(), key).session);
    node.send(held, '1', '2', '3', '4', '5');
    held.acknowledged(a!, 5);
    held.acknowledged(b!, 3);
    t.equal(held.inbox?.firstKept, 1);
    held.acknowledged(c!, 2);
    t.equal(held.inbox?.firstKept, 3);
    held.detach(c!);
    held.acknowledged(b!, 5);
    t.equal(held.inbox?.firstKept, 3);
    held.ended(c!, 1000, '');
    t.equal(held.inbox?.firstKept, 6);
  });

  await t.test('of a lone session let go at once', async (t) => {
    const node = new OneNode();
    const held = node.hold();
    const { session } = attach(held, new FakeLink(), 'a');
    node.send(held, '1', '2', '3');
    held.acknowledged(session, 2);
    t.equal(held.inbox?.firstKept, 3);
  });

  await t.test('that are late, or of messages that were never sent, count for nothing', async (t) => {
    const node = new OneNode();
    const held = node.hold();
    const { session } = attach(held, new FakeLink(), 'a');
    node.send(held, '1', '2', '3');
    held.acknowledged(session, 2);
    held.acknowledged(session, 1);
    held.acknowledged(session, 4);
    t.equal(session.acked, 2);
    t.equal(held.inbox?.firstKept, 3);
  });
});

t.test('somebody waits for a message to be acknowledged', async (t) => {
  const start = () => {
    const node = new OneNode();
    const held = node.hold();
    const [a, b] = ['a', 'b'].map((key) => attach(held, new FakeLink(), key).session);
    attach(held, new FakeLink(), 'plain', { acknowledges: false });
    node.send(held, '1', '2');
    let over = 0;
    const wait = held.awaitAcknowledgement({ stream: held.stream, seq: 2 }, () => over++);
    return { node, held, a: a!, b: b!, wait, over: () => over };
  };

  await t.test('it is over when every attached client has it', async (t) => {
    const { held, a, b, wait, over } = start();
    t.same(wait.progress, { have: 0, attached: 2, away: 0, isKept: true });
    held.acknowledged(a, 2);
    t.equal(over(), 0);
    held.acknowledged(b, 1);
    t.same(wait.progress, { have: 1, attached: 1, away: 0, isKept: true });
    held.acknowledged(b, 2);
    t.equal(over(), 1);
    t.equal(wait.progress?.have, 2);
    held.acknowledged(b, 2);
    t.equal(over(), 1);
  });

  await t.test('who goes away or ends is not waited for once somebody has it', async (t) => {
    const { held, a, b, wait, over } = start();
    held.detach(b);
    t.equal(over(), 0);
    held.acknowledged(a, 2);
    t.equal(over(), 1);
    t.match(wait.progress, { have: 1, attached: 0, away: 1 });
  });

  await t.test('nobody is left who could have it: that is said, too', async (t) => {
    const { held, a, b, wait, over } = start();
    held.ended(a, 1000, '');
    t.equal(over(), 0);
    held.ended(b, 1000, '');
    t.equal(over(), 1);
    t.equal(isOver(wait.progress!), true);
    t.equal(wait.progress?.have, 0);
  });

  await t.test('who began behind the message does not count', async (t) => {
    const { held, a, b, wait } = start();
    attach(held, new FakeLink(), 'late');
    held.acknowledged(a, 2);
    held.acknowledged(b, 2);
    t.match(wait.progress, { have: 2, attached: 0, away: 0 });
  });

  await t.test('who does not wait any more is not called', async (t) => {
    const { held, a, b, wait, over } = start();
    held.stopWaiting(wait);
    held.acknowledged(a, 2);
    held.acknowledged(b, 2);
    t.equal(over(), 0);
  });

  await t.test('the user is not held any more: it is over, once', async (t) => {
    const { held, over } = start();
    held.clear();
    held.clear();
    t.equal(over(), 1);
  });

  await t.test('of a stream that is not here', async (t) => {
    const { held } = start();
    const place = { stream: 'other', seq: 5 };
    const wait = held.awaitAcknowledgement(place, () => {});
    t.equal(wait.progress, undefined);
    held.inbox!.setOrigins(2, [place]);
    t.match(wait.progress, { attached: 2, isKept: true });
    t.equal(new OneNode().hold('bob').awaitAcknowledgement(place, () => {}).progress, undefined);
  });
});

t.test('more than a thousand sessions are handed over: all of them may come', async (t) => {
  const from = new OneNode();
  const held = from.hold();
  const link = new FakeLink();
  const count = 1200;
  for (let i = 0; i < count; i++) attach(held, link, `session-${i}`);
  from.send(held, 'x');
  const state = stateOf(held, from.second);
  const to = new OneNode();
  const taken = to.hold();
  restore(taken, state, { now: to.clock.now });
  t.equal(taken.sessions.length, count);
  t.same(to.ended, []);
  t.equal(taken.inbox?.keptMessages, 1, 'and what they have yet to acknowledge is kept');
});
