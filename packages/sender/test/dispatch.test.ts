import { inProcessMembership } from '@pinwheel/membership';
import fc from 'fast-check';
import t from 'tap';
import { seeded } from '../../../test/kit/seeded.js';
import { checkSenderOptions } from '../src/sender-options.js';
import { settled } from './kit/fake-clock.js';
import { FakeNodes, fine, limits } from './kit/fake-nodes.js';

t.test('a lone message leaves at once, and its receipt comes with the answer', async (t) => {
  const nodes = new FakeNodes();
  const id = nodes.send('ann');
  await settled();
  t.equal(nodes.batches.length, 1);
  t.equal(nodes.receiptOf(id), undefined);
  await nodes.clock.pass(1);
  t.same(nodes.receiptOf(id), { user: 'ann', status: 'delivered', sessions: 1 });
});

t.test('while a batch is in flight the next one fills, up to its bounds', async (t) => {
  const nodes = new FakeNodes(Math.random, { maxBatchBytes: 1000 });
  nodes.meets = () => ({ fate: fine, afterMs: 10 });
  nodes.send('u0');
  await settled();
  for (let i = 1; i < 20; i++) nodes.send(`u${i}`);
  nodes.send('large', 1000, 'x'.repeat(2000));
  nodes.send('u20', 1000, 'x'.repeat(250));
  nodes.send('u21', 1000, 'x'.repeat(250));
  await nodes.clock.pass(100);
  t.same(
    nodes.batches.map(({ batch }) => batch.length),
    [1, 8, 8, 3, 1, 1, 1],
  );
  t.same(nodes.faults, []);
  t.equal(nodes.dispatch.queuedMessages, 0);
});

t.test('what is sent in one run of the caller’s code leaves together', async (t) => {
  const nodes = new FakeNodes();
  for (let i = 0; i < 5; i++) nodes.send(`u${i}`);
  await nodes.clock.pass(5);
  t.equal(nodes.batches.length, 1);
});

t.test(
  'no timer is left of a dispatch that has stopped, however long its messages might have taken',
  async (t) => {
    const nodes = new FakeNodes();
    const id = nodes.send('ann', 60_000);
    await nodes.clock.pass(1);
    t.equal(nodes.receiptOf(id)?.status, 'delivered');
    nodes.dispatch.stop();
    t.equal(nodes.clock.pending, 0);
  },
);

t.test('a message beyond the bound of the queue is refused at once, by count and by bytes', async (t) => {
  const one = new FakeNodes();
  one.send('u0');
  const bytes = one.dispatch.queuedBytes;
  for (const bound of [
    { maxQueuedMessages: 3 },
    { maxQueuedBytes: 3 * bytes },
    { maxQueuedBytes: 4 * bytes - 1 },
  ]) {
    const nodes = new FakeNodes(Math.random, bound);
    const ids = Array.from({ length: 10 }, (_, i) => nodes.send(`u${i}`));
    t.match(nodes.dispatch, { queuedMessages: 3, queuedBytes: 3 * bytes }, 'what fits is taken');
    const refused = ids.filter((id) => nodes.receiptOf(id)?.status === 'overloaded');
    t.same(refused, ids.slice(3));
    t.match(nodes.receiptOf(refused[0] ?? ''), { error: { code: 'overloaded', message: /bound/ } });
    t.match(nodes.dispatch.counters, { refused: 7, receipts: { overloaded: 7 } });
    await nodes.clock.pass(2000);
    t.equal(nodes.receiptOf(ids[0] ?? '')?.status, 'delivered');
    t.match(nodes.dispatch, { queuedMessages: 0, queuedBytes: 0 });
    t.match(nodes.dispatch.counters.receipts, { overloaded: 7, delivered: 3 });
  }
});

t.test('without an owner a message waits for one, until its deadline', async (t) => {
  const nodes = new FakeNodes(seeded(1), { maxAttempts: 50 });
  nodes.owners = () => undefined;
  const [first, second] = [nodes.send('ann', 200), nodes.send('bob', 1000)];
  await nodes.clock.pass(301);
  t.match(nodes.receiptOf(first), {
    status: 'overloaded',
    error: { code: 'unavailable', message: 'nobody is there' },
  });
  t.ok(nodes.refreshes > 0);
  nodes.owners = () => 'n1';
  nodes.dispatch.ringChanged();
  await nodes.clock.pass(600);
  t.match(nodes.receiptOf(second), { status: 'delivered' });
});

t.test('by default a message is tried for as long as its deadline says, the longest one, too', async (t) => {
  const { maxAttempts } = checkSenderOptions({ membership: inProcessMembership() });
  for (let seed = 1; seed <= 5; seed++) {
    const nodes = new FakeNodes(seeded(seed), { maxAttempts });
    nodes.meets = () => ({ fate: { kind: 'failed', code: 'unreachable', taken: false }, afterMs: 1 });
    const id = nodes.send('ann', 60_000);
    await nodes.clock.pass(59_000);
    t.equal(nodes.receiptOf(id), undefined, 'it is not given up');
    nodes.meets = () => ({ fate: fine, afterMs: 1 });
    await nodes.clock.pass(900);
    t.equal(nodes.receiptOf(id)?.status, 'delivered');
  }
});

t.test(
  'a message that is tried again goes before the later ones of its user, even in a long queue',
  async (t) => {
    const nodes = new FakeNodes(seeded(1), { maxQueuedMessages: 1000, maxAttempts: 50 });
    const delays = [5, 300];
    nodes.meets = () => {
      const afterMs = delays.shift();
      if (afterMs === 5) return { fate: { kind: 'failed', code: 'unreachable', taken: false }, afterMs };
      return { fate: fine, afterMs: afterMs ?? 5 };
    };
    nodes.send('ann', 10_000);
    await settled();
    for (let i = 0; i < 20; i++) nodes.send(`other-${i}`, 10_000);
    nodes.send('ann', 10_000);
    await nodes.clock.pass(5000);
    t.same(nodes.faults, []);
    const order = nodes.batches.flatMap(({ batch }) => batch.filter(({ user }) => user === 'ann'));
    t.same(
      order.map(({ id }) => id),
      ['m0', 'm0', 'm21'],
    );
  },
);

t.test('a receipt says what is known: in flight, never sent, or perhaps delivered', async (t) => {
  const nodes = new FakeNodes(seeded(1));
  nodes.meets = (_, batch) =>
    batch.some(({ user }) => user === 'lost')
      ? { fate: { kind: 'failed', code: 'unknown-outcome', taken: false }, afterMs: 1 }
      : { fate: fine, afterMs: 10_000 };
  const shorter = nodes.send('shorter', 300);
  const longer = nodes.send('longer', 900);
  await settled();
  const behind = nodes.send('longer', 100);
  await nodes.clock.pass(600);
  t.match(nodes.receiptOf(shorter), { error: { code: 'deadline', message: /may have been delivered/ } });
  t.match(nodes.receiptOf(behind), { error: { code: 'deadline', message: /before it was sent/ } });
  await nodes.clock.pass(600);
  t.match(nodes.receiptOf(longer), { error: { code: 'deadline' } });

  const lost = nodes.send('lost', 500);
  await nodes.clock.pass(20);
  nodes.owners = () => undefined;
  nodes.dispatch.ringChanged();
  await nodes.clock.pass(1000);
  t.match(nodes.receiptOf(lost), { error: { code: 'unknown-outcome' } }, 'a later failure does not unsay it');
});

t.test('messages whose time has passed do not pile up behind a node that hangs', async (t) => {
  const nodes = new FakeNodes(Math.random, { maxQueuedMessages: 10 });
  nodes.meets = () => ({ fate: fine, afterMs: 100_000 });
  nodes.send('hangs', 60_000);
  await settled();
  const given = new Set<string>();
  for (let i = 0; i < 100; i++) {
    for (let j = 0; j < 9; j++) given.add(nodes.send(`u${j}`, 50));
    await nodes.clock.pass(160);
  }
  t.equal(nodes.dispatch.queuedMessages, 1);
  t.ok([...given].every((id) => nodes.receiptOf(id)?.status === 'overloaded'));
  t.equal(nodes.dispatch.counters.refused, 0);
  const before = nodes.batches.length;
  await nodes.clock.pass(60_000);
  const later = nodes.batches.slice(before).flatMap(({ batch }) => batch.map(({ user }) => user));
  t.same([...new Set(later)], ['hangs'], 'none of them leaves afterwards');
});

t.test(
  'a patient message to a node that hangs holds its neighbours up for no longer than one request',
  async (t) => {
    const nodes = new FakeNodes(seeded(2), { deadlineMs: 500 });
    nodes.meets = (_, batch) => ({
      fate: fine,
      afterMs: batch.some(({ user }) => user === 'patient') ? 100_000 : 1,
    });
    const patient = nodes.send('patient', 30_000);
    await settled();
    const neighbour = nodes.send('neighbour', 1000);
    await nodes.clock.pass(600);
    t.match(nodes.receiptOf(neighbour), { status: 'delivered' });
    t.equal(nodes.receiptOf(patient), undefined, 'it still has time');
    await nodes.clock.pass(30_000);
    t.match(nodes.receiptOf(patient), { status: 'overloaded', error: { code: 'deadline' } });
  },
);

t.test('a message that may have been delivered is never called offline afterwards', async (t) => {
  for (const code of ['unknown-outcome', 'deadline'] as const) {
    const nodes = new FakeNodes(seeded(3), { deadlineMs: 300 });
    let tries = 0;
    nodes.meets = () =>
      tries++ === 0
        ? { fate: { kind: 'failed', code, taken: true }, afterMs: 1 }
        : { fate: { kind: 'answered', notOwner: new Set(), offline: true }, afterMs: 1 };
    const id = nodes.send('alice', 5000);
    await nodes.clock.pass(5000);
    t.ok(tries > 1, 'it was tried again');
    t.match(nodes.receiptOf(id), { status: 'overloaded', error: { code } });
  }
});

t.test('what another node may have taken is tried again, too, under the same id', async (t) => {
  for (const passedOn of ['unknown-outcome', 'deadline'] as const) {
    for (const waits of [false, true]) {
      const nodes = new FakeNodes(seeded(4));
      let tries = 0;
      nodes.meets = () => ({ fate: tries++ === 0 ? { ...fine, passedOn } : fine, afterMs: 1 });
      nodes.acknowledges = ({ question }) => ({
        answer: { ...question, status: 'delivered', sessions: 1 },
        afterMs: 1,
      });
      const id = nodes.send('bob', 5000, 'x', waits);
      const later = nodes.send('bob', 5000, 'y');
      await nodes.clock.pass(200);
      t.match(nodes.receiptOf(id), { status: 'delivered' });
      t.match(nodes.receiptOf(later), { status: 'delivered' });
      const [first, again] = nodes.batches.map(({ batch }) => batch.map((message) => message.id));
      t.same(again, first, 'one behind the other, as before');
      t.ok(nodes.batches[1]!.batch.every(({ repeated }) => repeated));
    }
  }
});

t.test('what another node may have taken is said to be in doubt when the time is over', async (t) => {
  for (const passedOn of ['unknown-outcome', 'deadline'] as const) {
    const nodes = new FakeNodes(seeded(5));
    let tries = 0;
    nodes.meets = () => ({
      fate: tries++ === 0 ? { ...fine, passedOn } : { ...fine, offline: true },
      afterMs: 1,
    });
    const gone = nodes.send('bob', 5000);
    await nodes.clock.pass(1000);
    t.match(nodes.receiptOf(gone), { status: 'overloaded', error: { code: passedOn } }, 'never offline');
    // the node's time is the message's own
    nodes.meets = () => ({ fate: { ...fine, passedOn }, afterMs: 299 });
    const id = nodes.send('ann', 300);
    await nodes.clock.pass(420);
    t.match(nodes.receiptOf(id), { status: 'overloaded', error: { code: passedOn } });
    t.equal(nodes.dispatch.queuedMessages, 0);
  }
});

const step = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant('send' as const),
      user: fc.nat(5),
      deadlineMs: fc.integer({ min: 20, max: 2000 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('burst' as const), count: fc.integer({ min: 5, max: 40 }) }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('ring' as const), ring: fc.nat(3) }) },
  {
    weight: 5,
    arbitrary: fc.record({ kind: fc.constant('pass' as const), ms: fc.integer({ min: 1, max: 120 }) }),
  },
);

/** Ring 0 to 2 place users differently on three nodes; ring 3 is empty. */
function ownerIn(ring: number, user: string): string | undefined {
  return ring === 3 ? undefined : `n${(Number(user.slice(1)) + ring) % 3}`;
}

t.test('over schedules of sends, ring changes, late, refusing, dying and silent nodes', async (t) => {
  let receipts = 0;
  let ordered = 0;
  await fc.assert(
    fc.asyncProperty(fc.integer(), fc.array(step, { minLength: 5, maxLength: 80 }), async (seed, steps) => {
      const random = seeded(seed);
      const calm = random() < 0.5;
      const nodes = new FakeNodes(random);
      let ring = 0;
      nodes.owners = (user) => ownerIn(ring, user);
      nodes.meets = (member, batch) => {
        const afterMs = random() < 0.1 ? 100 + random() * 3000 : random() * 30;
        const luck = random();
        if (luck < 0.1) return { fate: { kind: 'failed', code: 'unreachable', taken: false }, afterMs };
        if (luck < 0.15 && !calm) {
          return { fate: { kind: 'failed', code: 'unknown-outcome', taken: random() < 0.5 }, afterMs };
        }
        if (luck < 0.2) return { fate: { kind: 'failed', code: 'bad-request', taken: false }, afterMs };
        if (luck < 0.23 && !calm) {
          const passedOn = random() < 0.5 ? ('deadline' as const) : ('unknown-outcome' as const);
          return { fate: { kind: 'answered', notOwner: new Set(), passedOn }, afterMs };
        }
        const elsewhere = batch.filter(({ user }) => ownerIn(ring, user) !== member || random() < 0.1);
        const refuses = new Set(elsewhere.filter(() => random() < 0.8).map(({ user }) => user));
        return { fate: { kind: 'answered', notOwner: refuses }, afterMs };
      };
      for (const next of steps) {
        if (next.kind === 'send') nodes.send(`u${next.user}`, next.deadlineMs);
        else if (next.kind === 'burst') for (let i = 0; i < next.count; i++) nodes.send(`u${i % 4}`, 1500);
        else if (next.kind === 'pass') await nodes.clock.pass(next.ms);
        else {
          ring = next.ring;
          nodes.dispatch.ringChanged();
        }
        if (nodes.dispatch.queuedMessages > limits.maxQueuedMessages) throw new Error('over the bound');
      }
      await nodes.clock.pass(5000);

      if (nodes.faults.length > 0) throw new Error(nodes.faults.join('; '));
      for (const [id, pending] of nodes.sent) {
        const given = nodes.receipts.get(id) ?? [];
        if (given.length !== 1) throw new Error(`${id} got ${given.length} receipts`);
        const lateMs = (given[0]?.at ?? 0) - pending.deadline;
        if (lateMs > 110) throw new Error(`${id} got its receipt ${lateMs} ms late`);
      }
      const { queuedMessages, queuedBytes, waitingUsers, counters } = nodes.dispatch;
      if (queuedMessages !== 0 || queuedBytes !== 0 || waitingUsers !== 0) {
        throw new Error(`left: ${queuedMessages} messages, ${queuedBytes} bytes, ${waitingUsers} lanes`);
      }
      if (nodes.clock.pending !== 0) throw new Error(`${nodes.clock.pending} timers are left`);
      const counted = Object.values(counters.receipts).reduce((sum, count) => sum + count, 0);
      if (counted !== nodes.sent.size) throw new Error(`${counted} receipts counted of ${nodes.sent.size}`);
      receipts += nodes.sent.size;
      ordered += 6 - nodes.uncertain.size;
    }),
    { numRuns: 500 },
  );
  t.ok(receipts > 10_000, `${receipts} receipts`);
  t.ok(ordered > 500, `the order of ${ordered} users was checked to the end`);
});
