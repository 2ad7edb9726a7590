import { BatchWriter, batchContentType, readPlaces } from '@pinwheel/protocol';
import { NodeClients } from '@pinwheel/sender';
import t from 'tap';
import { rawCall } from '../../../test/kit/raw-call.js';
import { until } from '../../../test/kit/until.js';
import { connect } from './kit/client.js';
import { dyingMembership, startNodes } from './kit/nodes.js';
import { metric, post, postBatch, postLines, request } from './kit/requests.js';
import { joinSilent } from './kit/silent-node.js';

/** Names for users of any owner. */
const names = Array.from({ length: 100 }, (_, i) => `u${i}`);

t.test('three nodes', async (t) => {
  const nodes = await startNodes(t, ['n1', 'n2', 'n3']);
  const [n1, n2, n3] = [nodes.of('n1'), nodes.of('n2'), nodes.of('n3')];
  const [user = ''] = nodes.usersOf('n2', 1);
  const client = await connect(t, n2, user);
  const forwarded = () => metric(n1, 'pinwheel_node_forwarded_total');

  t.test('a message through a wrong node is forwarded once and delivered', async (t) => {
    const before = await forwarded();
    t.match(await post(n1, user, 'single'), { status: 200, json: { status: 'delivered', sessions: 1 } });
    t.match(await postLines(n1, [{ user, data: 'line' }]), [{ status: 'delivered' }]);
    const message = { user, data: 'batch', binary: true, id: 'i', waitForClient: false, repeated: false };
    t.match(await postBatch(n1, [message]), [{ status: 'delivered' }]);
    await until('all three', () => client.frames.length === 3);
    t.same(client.texts, ['single', 'line', 'batch']);
    t.same(
      client.frames.map(({ binary }) => binary),
      [false, false, true],
    );
    t.equal(await forwarded(), before + 3);
    t.equal(await metric(n1, 'pinwheel_node_forwarding'), 0);
  });

  t.test('whoever sent a batch learns which messages went on to another node', async (t) => {
    const [here = ''] = nodes.usersOf('n1', 1);
    const messageTo = (to: string, i: number) => {
      return { user: to, data: '', binary: true, id: `m${i}`, waitForClient: false, repeated: false };
    };
    const ask = (users: readonly string[], headers = {}) =>
      request(n1, 'POST', '/v1/messages', new BatchWriter().write(users.map(messageTo)), {
        'content-type': batchContentType,
        ...headers,
      });
    const { headers } = await ask([here, user, here, user]);
    t.same(readPlaces(headers.get('pinwheel-passed-on') ?? '', 4), [1, 3]);
    t.equal((await ask([here])).headers.get('pinwheel-passed-on'), null);
    const toNode = await ask([user], { 'pinwheel-hops': '1' });
    t.equal(toNode.headers.get('pinwheel-passed-on'), null, 'nodes have no use for it');
  });

  t.test('a batch for everybody is split, and its receipts are in its order', async (t) => {
    const users = ['n1', 'n2', 'n3'].flatMap((id) => nodes.usersOf(id, 30)).sort();
    const clients = await Promise.all(users.map((name) => connect(t, nodes.ownerOf(name), name)));
    const lines = users.flatMap((name) => [
      { user: name, data: '1' },
      { user: `${name}-away`, data: 'x' },
      { user: name, data: '2' },
    ]);
    const receipts = await postLines(n3, lines);
    t.same(
      receipts.map(({ user: of, status }) => `${of} ${status}`),
      lines.map(({ user: of }) => `${of} ${of.endsWith('-away') ? 'offline' : 'delivered'}`),
    );
    await until('every message', () => clients.every(({ frames }) => frames.length === 2));
    t.ok(
      clients.every(({ texts }) => texts.join() === '1,2'),
      'in order for each user',
    );
    for (const each of clients) each.close();
  });

  t.test('whoever must not forward says who owns the user', async (t) => {
    const byHeader = await post(n1, user, 'x', { 'pinwheel-no-forward': '1' });
    t.match(byHeader, { status: 421, json: { status: 'not-owner', owner: 'n2' } });
    t.equal(byHeader.headers.get('pinwheel-owner'), 'n2');
    t.match(await post(n1, user, 'x', { 'pinwheel-hops': '2' }), { status: 421 });
    const presence = await request(n1, 'GET', `/v1/users/${user}`, undefined, { 'pinwheel-no-forward': '1' });
    t.match(presence, { status: 421, json: { owner: 'n2', error: { code: 'not-owner' } } });
    t.equal(presence.headers.get('pinwheel-owner'), 'n2');
  });

  t.test('a broadcast through any node reaches everybody once', async (t) => {
    const users = nodes.usersOf('n3', 3);
    const clients = await Promise.all(users.map((name) => connect(t, n3, name)));
    const seen = client.frames.length;
    const answer = await request(n1, 'POST', '/v1/broadcast', 'all', {
      'content-type': 'text/plain; x=\u00e9',
    });
    t.same(answer.json, { nodes: 3, delivered: 4 });
    await until('all of them', () => [...clients, client].every(({ texts }) => texts.at(-1) === 'all'));
    t.equal(client.frames.length, seen + 1);
    const bytes = await request(n2, 'POST', '/v1/broadcast', Buffer.from([0, 255]));
    t.same(bytes.json, { nodes: 3, delivered: 4 });
    await until('bytes', () => clients.every(({ frames }) => frames.at(-1)?.binary === true));
    const broken = await request(n2, 'POST', '/v1/broadcast', Buffer.from([255]), {
      'content-type': 'text/plain',
    });
    t.equal(broken.status, 400);
    for (const each of clients) each.close();
  });

  t.test('presence and disconnect through a wrong node', async (t) => {
    const { json } = await request(n1, 'GET', `/v1/users/${user}`);
    t.match(json, { user, holder: 'n2', online: true, sessions: [{ session: String }] });
    const away = await request(n1, 'GET', `/v1/users/${user}-away`);
    t.match(away, { status: 200, json: { online: false } });
    const closed = await request(n3, 'DELETE', `/v1/users/${user}/sessions?code=4002&reason=go%20away`);
    t.same(closed.json, { user, closed: 1 });
    await until('it is closed', () => client.end);
    t.same(client.end, { code: 4002, reason: 'go away' });
  });

  t.test('a reason that is not percent-encoded is the same through every node', async (t) => {
    for (const { port } of [n2, n3]) {
      const again = await connect(t, n2, user);
      const target = `/v1/users/${user}/sessions?reason=Über日`;
      const { status, body } = await rawCall(port, { method: 'DELETE', target });
      t.match({ status, body }, { status: 200, body: /"closed":1/ });
      await until('it is closed', () => again.end);
      t.same(again.end, { code: 4500, reason: 'Über日' });
    }
  });
});

t.test('a node that owns users and does not answer', async (t) => {
  const nodes = await startNodes(t, ['n1'], { forwardTimeoutMs: 200, deadlineMs: 1000 });
  await joinSilent(t, nodes, 'silent');
  const n1 = nodes.of('n1');
  await until('it is in the ring', () => n1.tracker.current.ring.members.length === 2);
  const { ring } = n1.tracker.current;
  const theirs = names.filter((name) => ring.owner(name) === 'silent');
  const mine = names.find((name) => ring.owner(name) === 'n1') ?? '';
  const client = await connect(t, n1, mine);

  t.test('its users get an honest overloaded in time, the others of the batch their receipts', async (t) => {
    const start = performance.now();
    const receipts = await postLines(n1, [
      ...theirs.map((user) => ({ user, data: 'x' })),
      { user: mine, data: 'y' },
    ]);
    t.ok(performance.now() - start < 5000, 'not for ever');
    t.same(new Set(receipts.slice(0, -1).map(({ status }) => status)), new Set(['overloaded']));
    t.match(receipts[0], { error: { code: 'deadline' } });
    t.match(receipts.at(-1), { status: 'delivered' });
    await until('the message', () => client.texts.join() === 'y');
    const presence = await request(n1, 'GET', `/v1/users/${theirs[0]}`, undefined, {
      'pinwheel-deadline-ms': '150',
    });
    t.match(presence, { status: 504, json: { error: { code: 'deadline' } } });
  });

  t.test('a member that comes back under its id at another port is reached there', async (t) => {
    const [user = ''] = theirs;
    const { membership } = nodes;
    const n2 = await nodes.start('silent', {}, dyingMembership(membership));
    await until('n1 knows the new port', () => n1.tracker.current.members.get('silent')?.port === n2.port);
    await until('n2 has joined', () => n2.tracker.current.ring.members.length === 2);
    t.match(await post(n1, user, 'x'), { status: 404 });
    const late = await connect(t, n2, user);
    t.match(await post(n1, user, 'x'), { status: 200 });
    await until('the message', () => late.texts.join() === 'x');
  });
});

t.test('a message whose user’s owner does not answer holds up no other receipt of its batch', async (t) => {
  const nodes = await startNodes(t, ['n1'], { forwardTimeoutMs: 1000 });
  const n1 = nodes.of('n1');
  await joinSilent(t, nodes, 'silent');
  await until('it is in the ring', () => n1.tracker.current.ring.members.length === 2);
  const { ring } = n1.tracker.current;
  const [here = '', there = ''] = ['n1', 'silent'].map((id) => names.find((user) => ring.owner(user) === id));
  const client = await connect(t, n1, here);
  const clients = new NodeClients();
  t.teardown(() => clients.close());
  const batch = [here, there, here].map((user, i) => ({
    user,
    data: `${i}`,
    binary: false,
    id: `m${i}`,
    waitForClient: false,
    repeated: false,
  }));
  const ends: string[] = [];
  const posted = clients
    .of({
      id: 'n1',
      address: '127.0.0.1',
      port: n1.port,
      wsPort: 0,
      weight: 1,
      draining: false,
      kind: 'node',
    })
    .post(batch, { deadlineMs: 20_000 }, (items, outcome) => {
      if (outcome.kind === 'failed') throw outcome.error;
      const statuses = items.map(
        ({ user, data }, i) => `${data} ${outcome.receipts.receipt(i, user).status}`,
      );
      ends.push(`${statuses} passed on ${outcome.receipts.passedOn}`);
    });
  await until('what is here has its receipts', () => ends.length === 1);
  t.same(ends, ['0 delivered,2 delivered passed on ']);
  t.equal(await metric(n1, 'pinwheel_node_forwarding'), 1, 'while the other one is on its way');
  await posted;
  t.same(ends.slice(1), ['1 overloaded passed on 0']);
  t.same(client.texts, ['0', '2']);
});

t.test('messages on their way through other nodes have a bound', async (t) => {
  const nodes = await startNodes(t, ['n1'], { forwardTimeoutMs: 300, maxForwarding: 20 });
  await joinSilent(t, nodes, 'silent');
  const n1 = nodes.of('n1');
  await until('it is in the ring', () => n1.tracker.current.ring.members.length === 2);
  const { ring } = n1.tracker.current;
  const theirs = Array.from({ length: 100 }, (_, i) => `u${i}`).filter(
    (name) => ring.owner(name) === 'silent',
  );
  const receipts = await postLines(
    n1,
    theirs.map((user) => ({ user, data: 'x' })),
  );
  const codes = receipts.map((receipt) => (receipt['error'] as { code: string }).code);
  t.same(codes, [...Array(20).fill('deadline'), ...Array(theirs.length - 20).fill('overloaded')]);
  t.equal(await metric(n1, 'pinwheel_node_forwarding'), 0);
});

t.test('nodes that are closed while messages are on their way through them', async (t) => {
  const nodes = await startNodes(t, ['n1', 'n2']);
  await joinSilent(t, nodes, 'hanging');
  const n1 = nodes.of('n1');
  await until('it is in the ring', () => n1.tracker.current.ring.members.length === 3);
  const { ring } = n1.tracker.current;
  const theirs = Array.from({ length: 100 }, (_, i) => `u${i}`).filter(
    (name) => ring.owner(name) === 'hanging',
  );
  const sends = theirs.map((user) =>
    post(n1, user, 'x').then(
      ({ status }) => status,
      () => 'cut',
    ),
  );
  await until(
    'they are on their way',
    async () => (await metric(n1, 'pinwheel_node_forwarding')) === theirs.length,
  );
  await n1.close();
  const ends = await Promise.all(sends);
  t.ok(
    ends.every((end) => end === 'cut' || end === 503),
    'every caller was told',
  );
  t.equal((await request(nodes.of('n2'), 'GET', '/healthz')).status, 200, 'the process lives');
});
