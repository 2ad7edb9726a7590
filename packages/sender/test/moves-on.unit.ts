import t from 'tap';
import { seeded } from '../../../test/kit/seeded.js';
import { settled } from './kit/fake-clock.js';
import { FakeNodes, fine } from './kit/fake-nodes.js';

/** A node n0 that takes 500 ms for every batch, and others that take one. */
function slowFirst() {
  const nodes = new FakeNodes(seeded(1), { maxFlights: 1 });
  nodes.meets = (member) => ({ fate: fine, afterMs: member === 'n0' ? 500 : 1 });
  const leave = (user: string): void => {
    nodes.owners = (asked) => (asked === user ? 'n1' : 'n0');
  };
  const sentTo = (member: string): readonly string[] =>
    nodes.batches.flatMap(({ member: to, batch }) => (to === member ? batch.map(({ id }) => id) : []));
  return { nodes, leave, sentTo };
}

t.test('what waits behind a slow node leaves for its new owner as soon as it has one', async (t) => {
  for (const how of ['the ring changes', 'users move'] as const) {
    const { nodes, leave, sentTo } = slowFirst();
    const first = nodes.send('ann');
    await settled();
    const waiting = nodes.send('ben');
    await nodes.clock.pass(1);
    leave('ben');
    if (how === 'the ring changes') nodes.dispatch.ringChanged();
    else nodes.dispatch.usersMoved({ from: 'n0', has: (user) => user === 'ben' });
    t.equal(nodes.dispatch.waitingUsers, 0, `${how}: of those who stay nobody waits for it`);
    await settled();
    t.same(sentTo('n1'), [waiting], how);
    await nodes.clock.pass(500);
    t.same(sentTo('n0'), [first]);
  }
});

t.test('what waits for the answer of a former owner leaves with that answer', async (t) => {
  const { nodes, leave, sentTo } = slowFirst();
  const stays = nodes.send('ann');
  const moves = nodes.send('ben');
  await settled();
  leave('ben');
  nodes.dispatch.ringChanged();
  const later = nodes.send('ben');
  await nodes.clock.pass(499);
  t.same([sentTo('n0'), sentTo('n1')], [[stays, moves], []]);
  t.equal(nodes.dispatch.waitingUsers, 1);
  await nodes.clock.pass(1);
  t.same(sentTo('n1'), [later]);
  t.equal(nodes.dispatch.waitingUsers, 0);
});

t.test('a request may take as long as the most patient message of its batch', async (t) => {
  for (const deadlines of [
    [100, 900],
    [900, 100],
  ]) {
    const { nodes } = slowFirst();
    const ids = deadlines.map((deadlineMs, i) => nodes.send(`u${i}`, deadlineMs));
    await nodes.clock.pass(501);
    const patient = ids[deadlines.indexOf(900)]!;
    t.match(nodes.receiptOf(patient), { status: 'delivered' });
    t.equal(nodes.batches.length, 1, 'by its first try');
    t.match(nodes.dispatch.counters, { batches: 1, batchedMessages: 2, retries: 0 });
  }
});

t.test('a message that two owners have lost in turn is waited for at each of them', async (t) => {
  const nodes = new FakeNodes(seeded(1));
  let owner = 'n0';
  nodes.owners = () => owner;
  const change = (to: string): void => {
    owner = to;
    nodes.dispatch.ringChanged();
  };
  nodes.meets = (member) =>
    member === 'n0'
      ? { fate: { kind: 'answered', notOwner: new Set(['ann']) }, afterMs: 10 }
      : { fate: fine, afterMs: 500 };
  const first = nodes.send('ann', 2000);
  await settled();
  change('n1');
  for (let ms = 0; ms < 100 && nodes.batches.length < 2; ms++) await nodes.clock.pass(1);
  change('n2');
  const later = nodes.send('ann', 2000);
  await nodes.clock.pass(499);
  t.same(nodes.faults, [], 'nothing leaves for the third meanwhile');
  await nodes.clock.pass(600);
  t.same(
    nodes.batches.map(({ member, batch }) => [member, ...batch.map(({ id }) => id)]),
    [
      ['n0', first],
      ['n1', first],
      ['n2', later],
    ],
  );
});
