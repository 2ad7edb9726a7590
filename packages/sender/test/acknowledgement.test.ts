import { once } from 'node:events';
import { inProcessMembership } from '@pinwheel/membership';
import type { Receipt } from '@pinwheel/protocol';
import t from 'tap';
import { startHttpServer } from '../../../test/kit/http-server.js';
import { until } from '../../../test/kit/until.js';
import { connectEdge, type FakeEdge } from '../../node/test/kit/fake-edge.js';
import { createSender } from '../src/index.js';
import { connect, startNode, startNodes, startSender } from './kit/service.js';

t.test('users on links of two nodes', async (t) => {
  const { membership, nodes } = await startNodes(t, ['n1', 'n2']);
  const edges = new Map<string, FakeEdge>();
  for (const node of nodes) edges.set(node.id, await connectEdge(t, node));
  const sender = await startSender(t, { membership });
  const attach = (user: string, acknowledgesAtOnce = false) => {
    const { ring } = nodes[0]!.tracker.current;
    return edges.get(ring.owner(user) ?? '')!.attached(user, { acknowledgesAtOnce });
  };

  t.test('a receipt waits for the client, and others do not wait for it', async (t) => {
    const ann = await attach('ann');
    let receipt: Receipt | undefined;
    const waits = sender.send('ann', 'one', { wait: 'client' }).then((given) => {
      receipt = given;
    });
    t.match(await sender.send('ann', 'two'), { status: 'delivered', sessions: 1 });
    await until('it waits', () => sender.counters().waitingForClients === 1);
    await until('both have come', () => ann.messages.length === 2);
    t.same(ann.texts, ['one', 'two']);
    t.equal(receipt, undefined);
    ann.acknowledge(2);
    await waits;
    t.match(receipt, { user: 'ann', status: 'delivered', sessions: 1, stream: /./, seq: 1 });
    t.match(sender.counters(), { waitingForClients: 0, queuedMessages: 0 });
  });

  t.test('many clients acknowledge, some do not, and each receipt says what its own did', async (t) => {
    const users = Array.from({ length: 400 }, (_, i) => `u${i}`);
    // more silent ones than a node is asked about at the same time
    const silent = new Set(users.slice(0, 200));
    await Promise.all(users.map((user) => attach(user, !silent.has(user))));
    const receipts = await Promise.all(
      users.map((user) => sender.send(user, 'x', { wait: 'client', deadlineMs: 6000 })),
    );
    for (const { user, status, sessions } of receipts) {
      if (silent.has(user) ? status !== 'queued' : status !== 'delivered' || sessions !== 1)
        t.fail(`${user}: ${status}`);
    }
    t.equal(sender.counters().waitingForClients, 0);
  });

  t.test('a client that cannot acknowledge, and nobody', async (t) => {
    const texts = await connect(t, nodes, 'direct');
    t.match(await sender.send('direct', 'x', { wait: 'client' }), {
      status: 'overloaded',
      error: { code: 'unknown-outcome', message: /^the message was taken, and no session/ },
    });
    await until('it has come all the same', () => texts.length === 1);
    t.match(await sender.send('nobody', 'x', { wait: 'client' }), { status: 'offline' });
    const [one, two] = await sender.sendMany(['direct', 'nobody'], 'x', { wait: 'client' });
    t.match([one, two], [{ status: 'overloaded' }, { status: 'offline' }]);
    await t.rejects(sender.send('ann', 'x', { wait: 'server' as 'client' }), {
      code: 'bad-option',
      message: 'wait is "server"; it must be "client" or missing',
    });
  });

  t.test(
    'a message that is sent again with its id is not delivered again, and waits all the same',
    async (t) => {
      const ben = await attach('ben');
      const send = () => sender.send('ben', 'x', { id: 'an-id', wait: 'client' });
      const both = Promise.all([send(), send()]);
      await until('it has come', () => ben.messages.length > 0);
      t.match(await sender.send('ben', 'y'), { status: 'delivered' });
      ben.acknowledge(1);
      t.match(await both, [
        { status: 'delivered', sessions: 1, seq: 1 },
        { status: 'delivered', sessions: 1, seq: 1 },
      ]);
      await until('the last', () => ben.texts.at(-1) === 'y');
      t.same(ben.texts, ['x', 'y']);
    },
  );

  t.test('closing waits for what its clients have yet to acknowledge', async (t) => {
    const cat = await attach('cat');
    const closing = createSender({ membership });
    t.teardown(() => closing.close());
    await closing.ready();
    const waits = closing.send('cat', 'x', { wait: 'client' });
    await until('it has come', () => cat.messages.length === 1);
    const closed = closing.close();
    cat.acknowledge(1);
    t.match(await waits, { status: 'delivered' });
    await closed;
  });
});

t.test('a user moves while a receipt waits', async (t) => {
  const { membership, nodes } = await startNodes(t, ['n1']);
  const n1 = nodes[0]!;
  const edge = await connectEdge(t, n1);
  const sender = await startSender(t, { membership });
  const users = Array.from({ length: 30 }, (_, i) => `u${i}`);
  const sessions = await Promise.all(users.map((user) => edge.attached(user)));
  const waits = users.map((user) => sender.send(user, 'x', { wait: 'client', deadlineMs: 20_000 }));
  await until('they have come', () => sessions.every(({ messages }) => messages.length === 1));
  const n2 = await startNode(t, membership, 'n2');
  const leaving = await until('some are sent on', () => {
    const { ring } = n1.tracker.current;
    const theirs = sessions.filter(({ user }) => ring.owner(user) === 'n2');
    return theirs.length > 0 && theirs.every(({ repins }) => repins.length > 0) && theirs;
  });
  const other = await connectEdge(t, n2);
  const moved = await Promise.all(
    leaving.map((session) => {
      const { user, key, repins } = session;
      const { handoff } = repins[0]!;
      return other.attached(user, { key, handoff, positions: [session.position()] });
    }),
  );
  for (const session of [...moved, ...sessions.filter((one) => !leaving.includes(one))])
    session.acknowledge(1);
  for (const receipt of await Promise.all(waits))
    t.match(receipt, { status: 'delivered', sessions: 1, seq: 1 });
});

t.test('questions that take long have connections of their own', async (t) => {
  const asked: string[] = [];
  const membership = inProcessMembership();
  const port = await startHttpServer(t, (request, response) => {
    if (request.method === 'GET') {
      asked.push(request.headers['pinwheel-deadline-ms'] as string);
      return;
    }
    void once(request.resume(), 'end').then(() => {
      const detail = Buffer.from(JSON.stringify({ stream: 's', seq: 1 }));
      const bytes = Buffer.alloc(9 + detail.length);
      bytes.write('PWR1');
      bytes[4] = 0x80;
      bytes[5] = 1;
      bytes.writeUInt16LE(detail.length, 7);
      detail.copy(bytes, 9);
      response.end(bytes);
    });
  });
  membership.set({ id: 'slow', port });
  const sender = await startSender(t, { membership, maxBatchMessages: 1, deadlineMs: 10_000 });
  const waits = Array.from({ length: 64 }, () =>
    sender.send('ann', 'x', { wait: 'client', deadlineMs: 2000 }),
  );
  await until('every connection for questions is taken', () => asked.length === 64);
  t.match(await sender.send('ann', 'y'), { status: 'delivered' }, 'a batch gets through');
  t.ok(asked.every((ms) => Number(ms) <= 1000));
  const receipts = await Promise.all(waits);
  t.ok(receipts.every(({ status, error }) => status === 'overloaded' && error?.code === 'deadline'));
});
