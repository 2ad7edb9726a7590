import type { Receipt } from '@pinwheel/protocol';
import fc from 'fast-check';
import t from 'tap';
import { seeded } from '../../../test/kit/seeded.js';
import { Places } from '../src/places.js';
import { settled } from './kit/fake-clock.js';
import { FakeNodes, fine } from './kit/fake-nodes.js';

const place = (user: string, order: number) => ({ user, stream: 's', seq: order + 1 });
const delivered = (user: string, order: number, sessions = 1): Receipt => ({
  ...place(user, order),
  status: 'delivered',
  sessions,
});

t.test('a message that waits is answered with what was acknowledged, and holds up nobody', async (t) => {
  const nodes = new FakeNodes();
  nodes.acknowledges = ({ question }) => ({ answer: delivered('ann', question.seq - 1), afterMs: 300 });
  const waits = nodes.send('ann', 1000, 'x', true);
  await nodes.clock.pass(2);
  t.equal(nodes.dispatch.waitingForClients, 1);
  const later = nodes.send('ann');
  await nodes.clock.pass(2);
  t.match(nodes.receiptOf(later), { status: 'delivered' });
  t.equal(nodes.receiptOf(waits), undefined);
  t.match(nodes.asked, [{ member: 'n0', question: place('ann', 0), waitMs: 899 }]);
  await nodes.clock.pass(300);
  t.same(nodes.receiptOf(waits), delivered('ann', 0));
  t.match(nodes.dispatch, { waitingForClients: 0, queuedMessages: 0, queuedBytes: 0 });
  await nodes.clock.pass(5000);
  t.equal(nodes.asked.length, 1);
  t.equal(nodes.clock.pending, 0);
});

t.test('what no session can acknowledge is said at once', async (t) => {
  const nodes = new FakeNodes();
  // a receipt without a place: its user has no session that could
  nodes.meets = () => ({ fate: { kind: 'answered', notOwner: new Set(), hasNoPlace: true }, afterMs: 1 });
  const id = nodes.send('ann', 1000, 'x', true);
  await nodes.clock.pass(2);
  t.match(nodes.receiptOf(id), {
    status: 'overloaded',
    error: { code: 'unknown-outcome', message: /was taken/ },
  });
  t.equal(nodes.asked.length, 0);
  nodes.meets = () => ({ fate: { kind: 'answered', notOwner: new Set(), offline: true }, afterMs: 1 });
  const offline = nodes.send('ann', 1000, 'x', true);
  await nodes.clock.pass(2);
  t.match(nodes.receiptOf(offline), { status: 'offline' });
});

t.test('a sender by the ring whose node publishes learns that no queue answers', async (t) => {
  const nodes = new FakeNodes();
  nodes.meets = () => ({ fate: { kind: 'answered', notOwner: new Set(), published: true }, afterMs: 1 });
  const [waits, other] = [nodes.send('ann', 1000, 'x', true), nodes.send('ben')];
  await nodes.clock.pass(2);
  t.match(nodes.receiptOf(waits), {
    status: 'overloaded',
    error: { code: 'unknown-outcome', message: /published it to a queue.*give the sender the strategy/ },
  });
  t.match(nodes.receiptOf(other), { status: 'published' });
});

t.test('whoever is named is asked next, once; then the owner again', async (t) => {
  const nodes = new FakeNodes(seeded(1));
  nodes.acknowledges = ({ member, question }) =>
    member === 'n9' && nodes.asked.length > 4
      ? { answer: delivered('ann', question.seq - 1), afterMs: 1 }
      : { answer: { user: 'ann', status: 'not-owner', owner: 'n9' }, afterMs: 1 };
  const id = nodes.send('ann', 1000, 'x', true);
  await nodes.clock.pass(900);
  t.same(
    nodes.asked.map(({ member }) => member),
    ['n0', 'n9', 'n0', 'n9', 'n0', 'n9'],
  );
  t.match(nodes.receiptOf(id), { status: 'delivered' });
  t.ok(nodes.refreshes > 0);
});

t.test('a message whose time is over is not asked about any more', async (t) => {
  const nodes = new FakeNodes(seeded(1));
  nodes.acknowledges = () => ({ answer: 'unreachable', afterMs: 1 });
  const id = nodes.send('ann', 1000, 'x', true);
  for (let i = 0; i < 200 && nodes.receiptOf(id) === undefined; i++) await nodes.clock.pass(10);
  const { length } = nodes.asked;
  await nodes.clock.pass(2000);
  t.equal(nodes.asked.length, length);
});

t.test('a question that is under way when the time is over is the last', async (t) => {
  const nodes = new FakeNodes(seeded(1));
  nodes.acknowledges = () => ({ answer: 'unreachable', afterMs: 10_000 });
  const id = nodes.send('ann', 1000, 'x', true);
  await nodes.clock.pass(1100);
  t.match(nodes.receiptOf(id), { error: { code: 'deadline' } });
  await nodes.clock.pass(2000);
  t.equal(nodes.asked.length, 1);
  t.equal(nodes.clock.pending, 0);
});

t.test('questions that fail are asked ever later, and soon again after an answer', async (t) => {
  const nodes = new FakeNodes(() => 1);
  const asked: number[] = [];
  nodes.acknowledges = ({ question }) => {
    asked.push(nodes.clock.now());
    return asked.length === 4
      ? { answer: { ...question, status: 'queued' }, afterMs: 1 }
      : { answer: 'unreachable', afterMs: 1 };
  };
  nodes.send('ann', 2000, 'x', true);
  await nodes.clock.pass(1000);
  const waits = asked.slice(1).map((at, i) => at - asked[i]! - 1);
  t.same(waits.slice(0, 6), [25, 50, 100, 25, 25, 50]);
});

t.test('a message whose time was over before it was taken is not asked about', async (t) => {
  const nodes = new FakeNodes(seeded(1));
  nodes.meets = () => ({ fate: fine, afterMs: 500 });
  const id = nodes.send('ann', 100, 'x', true);
  // with it, so that the request takes longer than its own time
  const other = nodes.send('ben', 1000);
  await nodes.clock.pass(501);
  t.match(nodes.receiptOf(id), { error: { code: 'deadline', message: /may have been delivered/ } });
  t.match(nodes.receiptOf(other), { status: 'delivered' });
  t.equal(nodes.asked.length, 0);
  t.equal(nodes.dispatch.waitingForClients, 0);
});

t.test('an answer that leaves no time for another question is the last', async (t) => {
  const nodes = new FakeNodes(seeded(1));
  const queued = { ...place('ann', 0), status: 'queued' } as const;
  nodes.acknowledges = () => ({ answer: queued, afterMs: 920 });
  const id = nodes.send('ann', 1000, 'x', true);
  await nodes.clock.pass(930);
  t.same(nodes.receiptOf(id), queued);
  t.equal(nodes.asked.length, 1);
});

t.test('that a message is kept is not unsaid by questions that fail', async (t) => {
  const nodes = new FakeNodes(seeded(1));
  const queued = { ...place('ann', 0), status: 'queued' } as const;
  nodes.acknowledges = () => ({ answer: nodes.asked.length > 1 ? 'unreachable' : queued, afterMs: 1 });
  const id = nodes.send('ann', 1000, 'x', true);
  await nodes.clock.pass(1200);
  t.same(nodes.receiptOf(id), queued);
  t.ok(nodes.asked.length > 2);
});

t.test('a question that fails is asked again, wherever the owner is then', async (t) => {
  const nodes = new FakeNodes(seeded(1));
  nodes.acknowledges = ({ member, question }) =>
    member === 'n0'
      ? { answer: 'unreachable', afterMs: 1 }
      : { answer: delivered('ann', question.seq - 1), afterMs: 1 };
  const id = nodes.send('ann', 2000, 'x', true);
  await nodes.clock.pass(200);
  const { length } = nodes.asked;
  t.ok(length > 2 && length < 60, `asked ${length} times`);
  nodes.owners = () => undefined;
  nodes.dispatch.ringChanged();
  await nodes.clock.pass(600);
  nodes.owners = () => 'n1';
  nodes.dispatch.ringChanged();
  await nodes.clock.pass(600);
  t.match(nodes.receiptOf(id), { status: 'delivered' });
  await nodes.clock.pass(2000);
  t.equal(nodes.clock.pending, 0);
});

t.test('at the deadline the receipt says what is known', async (t) => {
  const deadline = { code: 'deadline' as const, message: 'late' };
  const cases: readonly (readonly [Partial<Receipt> | 'unreachable', object])[] = [
    [{ status: 'queued' }, { status: 'queued', seq: 1 }],
    [
      { status: 'delivered', sessions: 2, error: deadline },
      { status: 'delivered', sessions: 2, error: deadline },
    ],
    [
      { status: 'overloaded', error: deadline },
      { status: 'overloaded', error: deadline },
    ],
    [
      { status: 'overloaded', error: { code: 'unavailable', message: 'lost' } },
      {
        status: 'overloaded',
        error: { code: 'deadline', message: /nobody has acknowledged it in time: lost/ },
      },
    ],
    ['unreachable', { status: 'overloaded', error: { code: 'deadline', message: /: fake unreachable/ } }],
  ];
  for (const [says, receipt] of cases) {
    const nodes = new FakeNodes(seeded(1));
    nodes.acknowledges = ({ question, waitMs }) =>
      typeof says === 'string'
        ? { answer: says, afterMs: 5 }
        : { answer: { ...question, ...says } as Receipt, afterMs: Math.min(100, waitMs) };
    const id = nodes.send('ann', 1000, 'x', true);
    await nodes.clock.pass(1200);
    t.match(nodes.receiptOf(id), receipt, JSON.stringify(says));
    t.ok((nodes.receipts.get(id)?.[0]?.at ?? 0) <= 1110, 'in time');
    t.match(nodes.dispatch, { waitingForClients: 0, queuedMessages: 0 });
    await nodes.clock.pass(2000);
    t.equal(nodes.clock.pending, 0);
  }
  const nodes = new FakeNodes();
  nodes.acknowledges = () => ({ answer: 'unreachable', afterMs: 10_000 });
  nodes.meets = () => ({ fate: { kind: 'answered', notOwner: new Set(), queued: true }, afterMs: 1 });
  const id = nodes.send('ann', 500, 'x', true);
  await nodes.clock.pass(700);
  t.match(
    nodes.receiptOf(id),
    { status: 'queued', stream: 's', seq: 1 },
    'nobody answers; it was kept at first',
  );
});

t.test('over schedules of clients that are slow, silent or gone and nodes that fail', async (t) => {
  const counts = new Map<string, number>();
  await fc.assert(
    fc.asyncProperty(fc.integer(), fc.integer({ min: 1, max: 30 }), async (seed, count) => {
      const random = seeded(seed);
      const nodes = new FakeNodes(random);
      const acked = new Map<string, number>();
      nodes.meets = () => ({
        fate: random() < 0.1 ? { kind: 'failed', code: 'unreachable', taken: false } : fine,
        afterMs: random() * 50,
      });
      nodes.acknowledges = ({ question, waitMs }) => {
        const luck = random();
        if (luck < 0.2) return { answer: 'unreachable', afterMs: random() * 50 };
        if (luck < 0.3) return { answer: 'unavailable', afterMs: random() * 3000 };
        if (luck < 0.4)
          return { answer: { user: question.user, status: 'not-owner', owner: 'n1' }, afterMs: 1 };
        const at = acked.get(question.user) ?? Number.POSITIVE_INFINITY;
        const inMs = Math.max(1, at - nodes.clock.now());
        return inMs <= waitMs
          ? { answer: { ...question, status: 'delivered', sessions: 1 }, afterMs: inMs }
          : { answer: { ...question, status: 'queued' }, afterMs: Math.min(waitMs, 1000) };
      };
      for (let i = 0; i < count; i++) {
        if (random() < 0.7) acked.set(`u${i}`, nodes.clock.now() + random() * 1500);
        nodes.send(`u${i}`, 200 + random() * 2000, 'x', random() < 0.8);
        if (random() < 0.5) await nodes.clock.pass(random() * 100);
      }
      await nodes.clock.pass(6000);
      for (const [id, pending] of nodes.sent) {
        const given = nodes.receipts.get(id) ?? [];
        if (given.length !== 1) throw new Error(`${id} got ${given.length} receipts`);
        const { receipt, at } = given[0]!;
        if (at - pending.deadline > 110)
          throw new Error(`${id} got its receipt ${at - pending.deadline} ms late`);
        const by = acked.get(pending.user) ?? Number.POSITIVE_INFINITY;
        if (pending.waitForClient && receipt.status === 'delivered' && by > at)
          throw new Error(`${id} counts as acknowledged, and nobody has`);
        counts.set(receipt.status, (counts.get(receipt.status) ?? 0) + 1);
      }
      const { queuedMessages, waitingForClients } = nodes.dispatch;
      if (queuedMessages + waitingForClients !== 0) throw new Error('messages are left');
      if (nodes.clock.pending !== 0) throw new Error(`${nodes.clock.pending} timers are left`);
    }),
    { numRuns: 200 },
  );
  t.ok((counts.get('delivered') ?? 0) > 500, JSON.stringify([...counts]));
});

t.test('places are given in the order of asking', async (t) => {
  const places = new Places(2);
  const got: number[] = [];
  for (let i = 0; i < 5; i++) void places.take().then(() => got.push(i));
  await settled();
  t.same(got, [0, 1]);
  t.ok(places.isCrowded);
  places.give();
  places.give();
  await settled();
  t.same(got, [0, 1, 2, 3]);
  for (let i = 0; i < 3; i++) places.give();
  await settled();
  t.same(got, [0, 1, 2, 3, 4]);
  t.notOk(places.isCrowded);
  for (let i = 5; i < 8; i++) void places.take().then(() => got.push(i));
  await settled();
  t.same(got, [0, 1, 2, 3, 4, 5, 6], 'two at a time');
});
