import { BatchWriter, batchContentType } from '@pinwheel/protocol';
import { buildRing, turnOf } from '@pinwheel/ring';
import { createSender } from '@pinwheel/sender';
import t from 'tap';
import { until } from '../../../test/kit/until.js';
import type { PinwheelNode } from '../src/index.js';
import { connect } from './kit/client.js';
import { Crowd } from './kit/crowd.js';
import { Flow } from './kit/flow.js';
import { startNodes } from './kit/nodes.js';
import { metric, post, postLines, request } from './kit/requests.js';

const users = Array.from({ length: 300 }, (_, i) => `u${i}`);

t.test('a node joins while messages flow', async (t) => {
  // deadlines that a busy machine does not reach: what they are for is tested elsewhere
  const options = { usersPerSecond: 100, forwardTimeoutMs: 30_000, deadlineMs: 30_000 };
  const nodes = await startNodes(t, ['n1', 'n2'], options);
  const crowd = new Crowd(t, nodes);
  await Promise.all(users.map((user) => crowd.connect(user)));
  const sender = createSender({ membership: nodes.membership, deadlineMs: 30_000 });
  t.teardown(() => sender.close());
  await sender.ready();
  const before = new Map(users.map((user) => [user, nodes.ownerOf(user).id]));

  const flow = new Flow(t, sender, users);
  await nodes.start('n3', options);
  await nodes.agree(['n1', 'n2', 'n3']);
  const start = performance.now();
  const leaving = users.filter((user) => nodes.ownerOf(user).id !== before.get(user));
  t.ok(leaving.length > 50, `${leaving.length} users have a new owner`);
  await until('everybody is where it belongs', () =>
    leaving.every(
      (user) => crowd.current.get(user)?.end === undefined && nodes.of('n3').sessions === leaving.length,
    ),
  );
  const tookMs = performance.now() - start;
  await flow.stop();

  t.same(
    [...new Set(crowd.moved.map(({ user }) => user))].sort(),
    [...leaving].sort(),
    'only they were moved',
  );
  t.equal(crowd.moved.length, leaving.length, 'each once');
  for (const { end, retryAfterMs } of crowd.moved) {
    if (end?.code !== 4000 || !(retryAfterMs >= 0 && retryAfterMs <= 100)) t.fail(`ended with ${end?.code}`);
  }
  // two nodes at 100 a second each, and a tenth of a second's worth at once
  t.ok(tookMs > (leaving.length / 200) * 1000 * 0.6, `took ${tookMs} ms`);

  const { receipts, delivered } = flow;
  await until('what was delivered arrives', () => {
    const received = crowd.received();
    return delivered.every(({ text }) => received.has(text));
  });
  const received = crowd.received();
  for (const { text, status, code } of receipts) {
    const count = received.get(text) ?? 0;
    if (status === 'delivered' ? count !== 1 : status !== 'offline' || count !== 0) {
      t.fail(`${text}: ${status} ${code}, received ${count} times`);
    }
  }
  for (const user of users.filter((name) => !leaving.includes(name))) {
    const sent = receipts.filter((receipt) => receipt.user === user).length;
    if (crowd.current.get(user)?.frames.length !== sent) t.fail(`${user} stayed and lacks messages`);
  }
  t.ok(delivered.length > receipts.length * 0.8, `${delivered.length} of ${receipts.length} delivered`);
  t.match(sender.counters(), { queuedMessages: 0, queuedBytes: 0, waitingUsers: 0 });
});

t.test('a move that is paused moves nobody until it is resumed', async (t) => {
  const nodes = await startNodes(t, ['n1'], { usersPerSecond: 1000 });
  const n1 = nodes.of('n1');
  const clients = await Promise.all(users.slice(0, 40).map((user) => connect(t, n1, user)));
  const paused = await request(n1, 'POST', '/v1/migrations', '{"paused":true}');
  t.match(paused, { status: 200, json: { paused: true, waiting: 0, moved: 0, users: 40, sessions: 40 } });
  const n2 = await nodes.start('n2');
  await nodes.agree(['n1', 'n2']);
  const leaving = clients.filter(({ user }) => nodes.ownerOf(user) === n2);
  t.match((await request(n1, 'GET', '/v1/migrations')).json, { paused: true, waiting: leaving.length });

  t.test('meanwhile messages through the new owner reach them where they are', async (t) => {
    const before = await metric(n2, 'pinwheel_node_forwarded_total');
    const receipts = await postLines(
      n2,
      clients.map(({ user }) => ({ user, data: 'x' })),
    );
    t.ok(receipts.every(({ status }) => status === 'delivered'));
    await until('every message', () => clients.every(({ frames }) => frames.length === 1));
    t.equal(await metric(n2, 'pinwheel_node_forwarded_total'), before + clients.length);
    const { user = '' } = leaving[0] ?? {};
    t.match((await request(n2, 'GET', `/v1/users/${user}`)).json, { holder: 'n1', online: true });
    t.equal(n1.migration.moved, 0);
  });

  t.test('a node that moves users says how far it has come', async (t) => {
    const message = { user: 'u', data: '', binary: false, id: 'i', waitForClient: false, repeated: false };
    const ask = async (node: PinwheelNode) => {
      const body = new BatchWriter().write([message]);
      return (await request(node, 'POST', '/v1/messages', body, { 'content-type': batchContentType }))
        .headers;
    };
    const ring = buildRing([{ id: 'n1' }, { id: 'n2' }]);
    const turn = Math.min(...leaving.map(({ user }) => turnOf(ring.hashOf(user))));
    const said = await ask(n1);
    t.equal(said.get('pinwheel-turn'), String(turn), 'nobody has gone');
    t.equal(said.get('pinwheel-fingerprint'), ring.fingerprint);
    t.equal((await ask(n2)).get('pinwheel-turn'), null);
  });

  t.test('bad changes of the pace are refused', async (t) => {
    const pace = 'it must be a whole number between 1 and 1000000';
    for (const [body, message] of [
      ['{"usersPerSecond":0}', `usersPerSecond is 0; ${pace}`],
      ['{"usersPerSecond":1e9}', `usersPerSecond is 1000000000; ${pace}`],
      ['{"usersPerSecond":1.5}', `usersPerSecond is 1.5; ${pace}`],
      ['{"usersPerSecond":null}', `usersPerSecond is null; ${pace}`],
      ['{"usersPerSecond":{"a":1}}', `usersPerSecond is an object; ${pace}`],
      ['{"paused":"yes"}', 'paused is "yes"; it must be true or false'],
      ['{"x":1}', 'unknown field "x"; known: paused, usersPerSecond'],
      ['[', 'the body is not JSON'],
      ['[1]', 'the body is a list of 1; it must be an object'],
      ['3', 'the body is 3; it must be an object'],
    ] as const) {
      const { status, json } = await request(n1, 'POST', '/v1/migrations', body);
      t.equal(status, 400, body);
      t.same(json, { error: { code: 'bad-request', message } });
    }
    t.match((await request(n1, 'GET', '/v1/migrations')).json, { paused: true, usersPerSecond: 1000 });
  });

  t.test('resumed, they go; and the new owner asks the former one no more', async (t) => {
    await request(n1, 'POST', '/v1/migrations', '{"paused":false,"usersPerSecond":500}');
    await until('they have been told', () => leaving.every(({ end }) => end?.code === 4000));
    t.match(n1.migration, { paused: false, usersPerSecond: 500, waiting: 0, moved: leaving.length });
    t.equal(n1.sessions, clients.length - leaving.length);
    const forwarded = () => metric(n2, 'pinwheel_node_forwarded_total');
    const send = (data: string) =>
      postLines(
        n2,
        leaving.map(({ user }) => ({ user, data })),
      );
    t.ok(
      (await send('y')).every(({ status }) => status === 'offline'),
      'nobody has come yet, and that is said',
    );
    const asked = await forwarded();
    t.ok((await send('z')).every(({ status }) => status === 'offline'));
    t.equal(await forwarded(), asked, 'n1 has said that it is done');
    const again = await Promise.all(leaving.map(({ user }) => connect(t, n2, user)));
    t.ok((await send('there')).every(({ status }) => status === 'delivered'));
    await until('every message', () => again.every(({ texts }) => texts.join() === 'there'));
    t.equal(await forwarded(), asked);
  });
});

t.test('a member that leaves again before its users went gives them back', async (t) => {
  const nodes = await startNodes(t, ['n1']);
  const n1 = nodes.of('n1');
  await request(n1, 'POST', '/v1/migrations', '{"paused":true}');
  const clients = await Promise.all(users.slice(0, 20).map((user) => connect(t, n1, user)));
  const n2 = await nodes.start('n2');
  await nodes.agree(['n1', 'n2']);
  t.ok(n1.migration.waiting > 0);
  await n2.close();
  await nodes.agree(['n1']);
  t.equal(n1.migration.waiting, 0);
  await request(n1, 'POST', '/v1/migrations', '{"paused":false}');
  const receipts = await postLines(
    n1,
    clients.map(({ user }) => ({ user, data: 'x' })),
  );
  t.ok(receipts.every(({ status }) => status === 'delivered'));
  t.ok(clients.every(({ end }) => end === undefined));
  t.equal(n1.migration.moved, 0);
});

t.test(
  'users of a node that was taken out of the members while it serves are reached until they have moved',
  async (t) => {
    const nodes = await startNodes(t, ['n1', 'n2']);
    const [n1, n2] = [nodes.of('n1'), nodes.of('n2')];
    await request(n2, 'POST', '/v1/migrations', '{"paused":true}');
    const clients = await Promise.all(nodes.usersOf('n2', 20).map((user) => connect(t, n2, user)));
    const send = (data: string) =>
      postLines(
        n1,
        clients.map(({ user }) => ({ user, data })),
      );
    nodes.membership.remove('n2');
    await nodes.agree(['n1']);
    await until('n2 knows it', () => n2.migration.waiting === clients.length);
    t.ok((await send('x')).every(({ status }) => status === 'delivered'));
    await until('every message', () => clients.every(({ texts }) => texts.join() === 'x'));
    await request(n2, 'POST', '/v1/migrations', '{"paused":false}');
    await until('they are sent on', () => clients.every(({ end }) => end?.code === 4000));
    t.ok((await send('y')).every(({ status }) => status === 'offline'));
    await n2.close();
    await until('n2 is not asked any more', () => !n1.tracker.current.members.has('n2'));
    t.ok((await send('z')).every(({ status }) => status === 'offline'));
  },
);

t.test('a user whose one session comes to the new owner early is followed by the other ones', async (t) => {
  const nodes = await startNodes(t, ['n1'], { usersPerSecond: 1 });
  const n1 = nodes.of('n1');
  const names = users.slice(0, 60);
  const pairs = await Promise.all(
    names.map(async (user) => ({ user, one: await connect(t, n1, user), two: await connect(t, n1, user) })),
  );
  const n2 = await nodes.start('n2');
  await nodes.agree(['n1', 'n2']);
  const leaving = pairs.filter(({ user }) => nodes.ownerOf(user) === n2).slice(-10);
  for (const { one } of leaving) one.close();
  const early = await Promise.all(leaving.map(({ user }) => connect(t, n2, user)));
  await until('the other sessions are sent on, ahead of the pace', () =>
    leaving.every(({ two }) => two.end?.code === 4000),
  );
  t.ok(n1.migration.waiting > 0, 'the others wait for their turn');
  t.ok(pairs.filter(({ two }) => two.end !== undefined).length < 20);
  t.ok((await metric(n1, 'pinwheel_node_requests_total{kind="peer"}')) > 0);
  for (const { user } of early) t.match(await post(n1, user, 'x'), { status: 200 });
  await until('they are reached there', () => early.every(({ texts }) => texts.join() === 'x'));
});
