import t from 'tap';
import { seeded } from '../../../test/kit/seeded.js';
import { settled } from './kit/fake-clock.js';
import { FakeNodes, type Fate, fine } from './kit/fake-nodes.js';

const failed = (code: Extract<Fate, { kind: 'failed' }>['code']): Fate => ({
  kind: 'failed',
  code,
  taken: false,
});

t.test('what no other try can change is tried once', async (t) => {
  const nodes = new FakeNodes(seeded(1));
  nodes.meets = () => ({ fate: failed('bad-request'), afterMs: 1 });
  const id = nodes.send('ann');
  await nodes.clock.pass(1);
  t.match(nodes.receiptOf(id), { status: 'overloaded', error: { code: 'bad-request' } }, 'and said at once');
  await nodes.clock.pass(2000);
  t.equal(nodes.batches.length, 1);
  t.equal(nodes.dispatch.counters.retries, 0);
});

t.test('a message that may have been delivered is not said to be refused afterwards', async (t) => {
  for (const code of ['unknown-outcome', 'deadline'] as const) {
    const nodes = new FakeNodes(seeded(1));
    nodes.meets = () => ({
      fate: failed(nodes.batches.length === 1 ? code : 'bad-request'),
      afterMs: 1,
    });
    const id = nodes.send('ann', 5000);
    await nodes.clock.pass(5000);
    t.equal(nodes.batches.length, 2);
    t.match(nodes.receiptOf(id), { status: 'overloaded', error: { code } });
  }
});

t.test('a message that fails when its time is over is not tried again', async (t) => {
  const nodes = new FakeNodes(seeded(1), { deadlineMs: 120 });
  nodes.meets = () => ({ fate: failed('unreachable'), afterMs: 10_000 });
  // that a time is over is found out a little later when another one was just before
  nodes.send('ann', 50);
  const ids = [nodes.send('ben', 100), nodes.send('cleo', 110)];
  await settled();
  await nodes.clock.pass(120);
  for (const id of ids) t.match(nodes.receiptOf(id), { error: { code: 'deadline' } });
  t.match(nodes.dispatch, { waitingUsers: 0, queuedMessages: 0, counters: { retries: 0 } });
});

/** When messages left, in a world where every wait takes as much of its bound as `random` says. */
function unreachable(random: number) {
  const nodes = new FakeNodes(() => random, { maxAttempts: 50 });
  const left: number[] = [];
  nodes.meets = () => {
    left.push(nodes.clock.now());
    return { fate: failed('unreachable'), afterMs: 1 };
  };
  return { nodes, left };
}

t.test('a message that is tried again waits for some part of a bound that doubles', async (t) => {
  const longest = unreachable(1);
  longest.nodes.send('ann');
  await longest.nodes.clock.pass(500);
  const waits = longest.left.slice(1).map((at, i) => at - longest.left[i]! - 1);
  t.same(
    waits.slice(0, 4).map((ms, i) => ms >= 25 * 2 ** i && ms <= 25 * 2 ** i + 10),
    [true, true, true, true],
    waits.join(),
  );
  const shortest = unreachable(0);
  shortest.nodes.send('ann');
  await shortest.nodes.clock.pass(100);
  t.ok(shortest.left[1]! <= 11, `${shortest.left[1]} ms`);
});

t.test('of messages that failed together the one that was tried most says how long all wait', async (t) => {
  const { nodes, left } = unreachable(1);
  nodes.send('ann', 5000);
  while (left.length < 4) await nodes.clock.pass(1);
  await nodes.clock.pass(5);
  // it waits with the first one, and is tried with it
  nodes.send('ann', 5000);
  while (left.length < 6) await nodes.clock.pass(1);
  t.same(
    nodes.batches.slice(4).map(({ batch }) => batch.length),
    [2, 2],
  );
  t.ok(left[5]! - left[4]! >= 400, `${left[5]! - left[4]!} ms`);
});

t.test('what nobody has taken is tried again', async (t) => {
  for (const code of ['unreachable', 'unavailable', 'not-authenticated'] as const) {
    const nodes = new FakeNodes(seeded(1));
    nodes.meets = () => ({ fate: nodes.batches.length === 1 ? failed(code) : fine, afterMs: 1 });
    const id = nodes.send('ann');
    await nodes.clock.pass(100);
    t.match(nodes.receiptOf(id), { status: 'delivered' }, code);
  }
});

t.test('a message that is in flight when its time is over is in doubt, whatever was before', async (t) => {
  const nodes = new FakeNodes(() => 0);
  nodes.meets = () =>
    nodes.batches.length === 1
      ? { fate: failed('unreachable'), afterMs: 1 }
      : { fate: fine, afterMs: 10_000 };
  const id = nodes.send('ann', 300);
  // with it, so that the request takes longer than its own time
  nodes.send('ben', 5000);
  await nodes.clock.pass(400);
  t.equal(nodes.batches.length, 2);
  t.match(nodes.receiptOf(id), { error: { code: 'deadline', message: /may have been delivered/ } });
});

t.test('nobody waits behind a message whose time is over', async (t) => {
  const { nodes, left } = unreachable(1);
  nodes.send('ann', 300);
  while (left.length < 4) await nodes.clock.pass(1);
  await nodes.clock.pass(315 - nodes.clock.now());
  t.equal(nodes.dispatch.queuedMessages, 0);
  t.equal(nodes.dispatch.waitingUsers, 0);
  nodes.send('ann');
  await settled();
  t.equal(left.length, 5);
});
