import { createSender } from '@pinwheel/sender';
import t, { type Test } from 'tap';
import { until } from '../../../test/kit/until.js';
import { connect } from './kit/client.js';
import { HeldMembership } from './kit/held-membership.js';
import { startNodes, type TestNodes } from './kit/nodes.js';
import { metric, post, postLines, request } from './kit/requests.js';

/** Two nodes that agree, the first one by a membership whose news can be held back. */
async function startHeld(t: Test) {
  const nodes = await startNodes(t, []);
  const held = new HeldMembership(nodes.membership);
  await nodes.start('n1', {}, held);
  await nodes.start('n2');
  await nodes.agree(['n1', 'n2']);
  return { nodes, held };
}

/** Users of one node by the ring that n1 still has who belong to another one by the ring of that. */
function between(nodes: TestNodes, from: string, to: string, count: number): readonly string[] {
  const [old, young] = [nodes.of('n1').tracker.current.ring, nodes.of(to).tracker.current.ring];
  return Array.from({ length: 2000 }, (_, i) => `user-${i}`)
    .filter((user) => old.owner(user) === from && young.owner(user) === to)
    .slice(0, count);
}

t.test('the holder has not heard yet of the member that owns its users now', async (t) => {
  const { nodes, held } = await startHeld(t);
  const n1 = nodes.of('n1');
  const clients = await Promise.all(nodes.usersOf('n1', 40).map((user) => connect(t, n1, user)));
  const senders = [held, nodes.membership].map((membership) => createSender({ membership }));
  t.teardown(async () => {
    await Promise.all(senders.map((sender) => sender.close()));
  });
  await Promise.all(senders.map((sender) => sender.ready()));
  held.hold();
  const n3 = await nodes.start('n3');
  await until('n3 is in the ring of the others', () =>
    [nodes.of('n2'), n3].every(({ tracker }) => tracker.current.ring.members.length === 3),
  );
  const moving = between(nodes, 'n1', 'n3', 2000);
  const affected = clients.filter(({ user }) => moving.includes(user));
  t.ok(affected.length > 3);

  t.test('messages through the new owner reach them, whichever way they come', async (t) => {
    for (const through of [n3, nodes.of('n2'), n1]) {
      const receipts = await postLines(
        through,
        affected.map(({ user }) => ({ user, data: through.id })),
      );
      t.same(new Set(receipts.map(({ status }) => status)), new Set(['delivered']), through.id);
    }
    await until('all of them', () => affected.every(({ frames }) => frames.length === 3));
    t.ok(affected.every(({ texts }) => texts.join() === 'n3,n2,n1'));
  });

  t.test('a sender that is behind as well is served, and so is one that is not', async (t) => {
    for (const sender of senders) {
      const receipts = await sender.sendMany(
        affected.map(({ user }) => user),
        'sent',
      );
      t.same(new Set(receipts.map(({ status }) => status)), new Set(['delivered']));
    }
    await until('all of them', () =>
      affected.every(({ texts }) => texts.filter((text) => text === 'sent').length === 2),
    );
  });

  t.test('nothing is forwarded for ever', async (t) => {
    const before = await metric(n1, 'pinwheel_node_forwarded_total');
    const [absent = ''] = moving.filter((user) => clients.every((client) => client.user !== user));
    t.match(await post(n1, absent, 'x'), { status: 404 });
    t.match(await post(n3, absent, 'x'), { status: 404 });
    t.ok((await metric(n1, 'pinwheel_node_forwarded_total')) - before <= 1);
  });

  t.test('when it hears of it, it sends them on', async (t) => {
    t.ok(clients.every(({ end }) => end === undefined));
    held.release();
    await until('they are told', () => affected.every(({ end }) => end?.code === 4000));
    t.equal(clients.filter(({ end }) => end !== undefined).length, affected.length);
  });
});

t.test('an old ring gives a node users whom the others give to somebody else', async (t) => {
  const { nodes, held } = await startHeld(t);
  const [n1, n2] = [nodes.of('n1'), nodes.of('n2')];
  held.hold();
  const n3 = await nodes.start('n3');
  await until('n3 is in the ring of the others', () =>
    [n2, n3].every(({ tracker }) => tracker.current.ring.members.length === 3),
  );
  const users = between(nodes, 'n2', 'n3', 10);
  const clients = await Promise.all(users.map((user) => connect(t, n3, user)));

  t.test('a message takes two forwards at most', async (t) => {
    const counts = async () =>
      Promise.all([n1, n2, n3].map((node) => metric(node, 'pinwheel_node_forwarded_total')));
    const before = await counts();
    const receipts = await postLines(
      n1,
      users.map((user) => ({ user, data: 'x' })),
    );
    t.same(new Set(receipts.map(({ status }) => status)), new Set(['delivered']));
    const after = await counts();
    t.same(
      after.map((count, i) => count - (before[i] ?? 0)),
      [users.length, users.length, 0],
    );
    await until('all of them', () => clients.every(({ frames }) => frames.length === 1));
  });

  t.test('a message that may not be forwarded so often is answered with who owns the user', async (t) => {
    const answer = await post(n1, users[0] ?? '', 'x', { 'pinwheel-hops': '1' });
    t.match(answer, { status: 421, json: { status: 'not-owner', owner: 'n3' } });
  });

  t.test('presence goes the same way', async (t) => {
    t.match((await request(n1, 'GET', `/v1/users/${users[0]}`)).json, { holder: 'n3', online: true });
  });
});

t.test('rings that come back: A, B, A', async (t) => {
  const nodes = await startNodes(t, ['n1', 'n2'], { usersPerSecond: 10_000 });
  const [n1, n2] = [nodes.of('n1'), nodes.of('n2')];
  const first = n1.tracker.current.ring.fingerprint;
  const users = Array.from({ length: 30 }, (_, i) => `u${i}`);
  const clients = await Promise.all(users.map((user) => connect(t, nodes.ownerOf(user), user)));
  for (let round = 0; round < 3; round++) {
    const n3 = await nodes.start('n3');
    await nodes.agree(['n1', 'n2', 'n3']);
    await n3.close();
    await nodes.agree(['n1', 'n2']);
  }
  t.equal(n1.tracker.current.ring.fingerprint, first);
  const open = () => clients.filter(({ end }) => end === undefined);
  await until('whoever was moved has heard of it', () => n1.sessions + n2.sessions === open().length);
  const staying = open();
  t.ok(clients.every(({ end }) => end === undefined || end.code === 4000));
  // n3 has left without draining: for some time its users are awaited
  const wanted = clients.map((client) => (staying.includes(client) ? 'delivered' : 'offline')).join();
  for (const node of [n1, n2]) {
    await until('the others are said to be offline', async () => {
      const receipts = await postLines(
        node,
        clients.map(({ user }) => ({ user, data: 'x' })),
      );
      return receipts.map(({ status }) => status).join() === wanted;
    });
  }
});
