import t from 'tap';
import { merge, restore, stateOf } from '../src/moves/merge.js';
import { type AckProgress, isOver } from '../src/users/ack-waits.js';
import type { HeldUser } from '../src/users/held-user.js';
import { FakeLink } from './kit/fake-link.js';
import { attach, DirectSession, here, messageTo, OneNode, type OneNodeOptions } from './kit/one-node.js';

/** A user with messages 1 to `count` whose session `a` has had them. */
function user(count: number, options: OneNodeOptions = {}) {
  const node = new OneNode(options);
  const held = node.hold();
  const { session } = attach(held, new FakeLink(), 'a');
  for (let i = 1; i <= count; i++) node.send(held, `${i}`);
  return { node, held, session };
}

/** Waits for a message; `overs` counts the calls that say that there is nothing to wait for. */
function awaiting(held: HeldUser, seq: number, stream = held.stream) {
  const waiting = { overs: 0, wait: held.awaitAcknowledgement({ stream, seq }, () => waiting.overs++) };
  return waiting;
}

const progress = (have: number, attached: number, away: number, isKept: boolean): AckProgress => ({
  have,
  attached,
  away,
  isKept,
});

t.test('a wait is over when every attached session that was sent the message has it', async (t) => {
  const { node, held, session } = user(0);
  const { session: second } = attach(held, new FakeLink(), 'b');
  attach(held, new FakeLink(), 'plain', { acknowledges: false });
  new DirectSession(held, 'direct');
  node.send(held, '1', '2');
  attach(held, new FakeLink(), 'late');
  const [one, two] = [awaiting(held, 1), awaiting(held, 2)];
  t.same(one.wait.progress, progress(0, 2, 0, true), 'who came later and who cannot are not waited for');
  held.acknowledged(session, 1);
  t.same(one.wait.progress, progress(1, 1, 0, true));
  t.equal(one.overs, 0);
  held.acknowledged(second, 2);
  t.equal(one.overs, 1);
  t.same(one.wait.progress, progress(2, 0, 0, true));
  t.same(two.wait.progress, progress(1, 1, 0, true));
  held.acknowledged(session, 2);
  t.equal(one.overs + two.overs, 2, 'each is told once');
  t.same(two.wait.progress?.have, 2);
});

t.test('whoever is away is waited for only while nobody has the message', async (t) => {
  const { held, session } = user(1);
  const first = awaiting(held, 1);
  held.detach(session);
  t.same(first.wait.progress, progress(0, 0, 1, true));
  t.equal(first.overs, 0);
  const back = attach(held, new FakeLink(), 'a', { epoch: 2, positions: here(held, 0) });
  t.equal(back.session, session);
  held.acknowledged(session, 1);
  t.equal(first.overs, 1);

  const pair = user(0);
  const { session: other } = attach(pair.held, new FakeLink(), 'b');
  pair.node.send(pair.held, '1');
  const [left, closed] = [awaiting(pair.held, 1), awaiting(pair.held, 1)];
  pair.held.stopWaiting(closed.wait);
  pair.held.acknowledged(other, 1);
  t.equal(left.overs, 0);
  pair.held.detach(pair.session);
  t.equal(left.overs, 1, 'one has it, the other is away');
  t.equal(closed.overs, 0, 'who does not wait any more is not told');
});

t.test('a wait is over when nobody is left who could acknowledge, and when the user has gone', async (t) => {
  const { node, held, session } = user(1);
  attach(held, new FakeLink(), 'plain', { acknowledges: false });
  const first = awaiting(held, 1);
  held.ended(session, 1000, '');
  t.equal(first.overs, 1);
  t.same(first.wait.progress, progress(0, 0, 0, false));

  const { session: last } = attach(held, new FakeLink(), 'c');
  node.send(held, '2');
  const second = awaiting(held, 2);
  held.sessions[0]!.close({ code: 1000, name: 'closed' }, '');
  t.equal(second.overs, 0);
  last.close({ code: 1000, name: 'closed' }, '');
  t.equal(second.overs, 1);
  t.equal(node.users.get('alice'), undefined);

  const gone = user(1);
  const third = awaiting(gone.held, 1);
  gone.held.clear();
  t.equal(third.overs, 1);
});

t.test('what was acknowledged stays so, whatever becomes of the session and the user', async (t) => {
  const { held, session } = user(1);
  const { wait } = awaiting(held, 1);
  held.acknowledged(session, 1);
  held.ended(session, 1000, 'bye');
  t.match(wait.progress, { have: 1, attached: 0, away: 0 });
  t.ok(wait.isFinished);

  const two = user(0);
  const { session: second } = attach(two.held, new FakeLink(), 'b');
  two.node.send(two.held, '1');
  const waiting = awaiting(two.held, 1);
  two.held.acknowledged(two.session, 1);
  two.held.ended(two.session, 1000, 'bye');
  t.equal(waiting.overs, 0, 'the other one may have it yet');
  two.held.detach(second);
  t.equal(waiting.overs, 1);
  t.match(waiting.wait.progress, { have: 1, away: 1 });
});

t.test('a wait is over when whoever could acknowledge has missed the message', async (t) => {
  const { node, held, session } = user(0, { maxMessages: 2 });
  session.paused = true;
  node.send(held, '1');
  const waiting = awaiting(held, 1);
  attach(held, new FakeLink(), 'plain', { acknowledges: false });
  node.send(held, '2', '3', '4');
  t.equal(waiting.overs, 0);
  session.paused = false;
  held.catchUp(session);
  t.equal(waiting.overs, 1);
});

t.test('a session that missed a message does not acknowledge it with later ones', async (t) => {
  const { node, held, session } = user(0, { maxMessages: 2 });
  const reader = attach(held, new FakeLink(), 'b').session;
  node.send(held, '1');
  held.detach(session);
  node.send(held, '2', '3', '4');
  const first = awaiting(held, 1);
  const back = attach(held, new FakeLink(), 'a', { epoch: 2, positions: here(held, 0) });
  t.equal(back.recovered, false);
  held.acknowledged(session, 4);
  t.same(first.wait.progress, progress(0, 1, 0, false), 'it never had it');
  held.acknowledged(reader, 4);
  t.same(first.wait.progress, progress(1, 0, 0, false));
  t.equal(first.overs, 1);
});

t.test('what was never sent is nobody’s, and a stream that is not known here says nothing', async (t) => {
  const { held } = user(1);
  t.same(awaiting(held, 2).wait.progress, progress(0, 1, 0, false));
  t.equal(awaiting(held, 1, 'other').wait.progress, undefined);
  t.equal(awaiting(new OneNode().hold('bob'), 1).wait.progress, undefined, 'there is no stream yet');
});

t.test('a message is found when its user has moved, in the same stream', async (t) => {
  const { node, held, session } = user(2);
  attach(held, new FakeLink(), 'late');
  held.acknowledged(session, 1);
  const state = stateOf(held, node.second);
  const there = new OneNode().hold();
  restore(there, JSON.parse(JSON.stringify(state)), node.clock);
  const [one, two] = [awaiting(there, 1, held.stream), awaiting(there, 2, held.stream)];
  t.same(one.wait.progress, progress(1, 0, 0, false), 'it was acknowledged before');
  t.same(two.wait.progress, progress(0, 0, 1, true), 'who came later did not get it, there either');
  const moved = attach(there, new FakeLink(), 'a', { epoch: 1, positions: here(there, 2) }).session;
  there.acknowledged(moved, 2);
  t.equal(two.overs, 1);
});

t.test('a message is found in the stream that its own was merged into, once it is', async (t) => {
  const { node, held, session } = user(0, { streams: 'a' });
  node.deliver([
    messageTo('alice', 'one', { id: 'known' }),
    messageTo('alice', 'two'),
    messageTo('alice', 'three'),
  ]);
  const other = new OneNode({ streams: 'b' });
  const there = other.hold();
  const { session: back } = attach(there, new FakeLink(), 'a', { epoch: 2, positions: here(held, 1) });
  other.deliver([messageTo('alice', 'zero'), messageTo('alice', 'one', { id: 'known' })]);
  const waits = [1, 2, 3].map((seq) => awaiting(there, seq, held.stream));
  t.ok(waits.every(({ wait }) => wait.progress === undefined));

  merge(there, stateOf(held, node.second), true, node.clock);
  t.same(
    waits.map(({ wait }) => wait.progress),
    [progress(0, 1, 0, true), progress(0, 1, 0, true), progress(0, 1, 0, true)],
  );
  there.acknowledged(back, there.inbox!.next - 2);
  t.same(
    waits.map(({ overs }) => overs),
    [1, 1, 0],
    'the message that both had is the second one here',
  );
  there.acknowledged(back, there.inbox!.next - 1);
  t.equal(waits[2]?.overs, 1);
  t.same(waits[2]?.wait.progress, progress(1, 0, 0, false), 'remembered though the inbox has forgotten it');
  t.equal(awaiting(there, 3, held.stream).wait.progress, undefined, 'who asks only now cannot be told');
  t.equal(session.link === undefined, false);
});

t.test('a receipt of a message that waits says where it stands, also when it is sent again', async (t) => {
  const { node, held, session } = user(1);
  const message = messageTo('alice', 'x', { id: 'an-id', waitForClient: true });
  const place = { stream: held.stream, seq: 2 };
  t.match(node.deliver([message]).receipts, [{ status: 'delivered', sessions: 1, ...place }]);
  held.detach(session);
  const again = { ...message, repeated: true };
  t.match(node.deliver([again, messageTo('alice', 'y')]).receipts, [
    { status: 'delivered', sessions: 1, ...place },
    { status: 'queued', seq: undefined },
  ]);
  const there = new OneNode();
  const moved = there.hold();
  held.acknowledged(session, 3);
  restore(moved, stateOf(held, node.second), node.clock);
  const [receipt] = there.deliver([again]).receipts;
  t.match(receipt, { status: 'delivered', sessions: 1, stream: held.stream });
  const { wait } = awaiting(moved, receipt!.seq!);
  t.ok(wait.progress !== undefined && isOver(wait.progress), 'an id that came along counts as acknowledged');
});
