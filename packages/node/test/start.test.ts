import { createServer } from 'node:net';
import { freePort } from '@pinwheel/bench/load/free-ports.js';
import { inProcessMembership, type Membership, staticMembership } from '@pinwheel/membership';
import t from 'tap';
import { until } from '../../../test/kit/until.js';
import { createNode, type PinwheelNode } from '../src/index.js';
import { connect } from './kit/client.js';
import { connectEdge } from './kit/fake-edge.js';
import { Gate } from './kit/gate.js';
import { quickTracking, startNodes } from './kit/nodes.js';
import { metric, post, request } from './kit/requests.js';

t.test('a port in use is named together with its option, and nothing stays behind', async (t) => {
  const taken = createServer();
  await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
  t.teardown(() => taken.close());
  const { port } = taken.address() as { port: number };
  const membership = inProcessMembership();
  for (const option of ['port', 'wsPort'] as const) {
    await t.rejects(createNode({ id: 'n1', membership, [option]: port }), {
      name: 'PinwheelError',
      code: 'listen',
      message: new RegExp(`127\\.0\\.0\\.1 port ${port} \\(${option}\\)`),
    });
  }
  await t.rejects(createNode({ id: 'n1', membership, host: '192.0.2.1', allowInsecure: true }), {
    code: 'listen',
  });
  t.same(membership.members(), []);
});

t.test('ring settings that differ from the peers’ keep a process out, naming the setting', async (t) => {
  const nodes = await startNodes(t, ['n1']);
  const refused = nodes.start('n2', { ringSettings: { virtualNodes: 256 } });
  await t.rejects(refused, {
    code: 'settings-mismatch',
    message: /virtualNodes is 256 here and 512 at member n1/,
  });
  t.same(
    nodes.membership.members().map(({ id }) => id),
    ['n1'],
  );
  t.equal(nodes.of('n1').tracker.current.ring.members.length, 1);
});

t.test('options out of their bounds are refused with name, value and bound', async (t) => {
  const membership = inProcessMembership();
  for (const [options, message] of [
    [{ id: '' }, /^id is ""/],
    [{ id: 'a b' }, /^id is "a b"/],
    [{ id: '__proto__' }, /^id is "__proto__"; it must .* not __proto__$/],
    [{ host: '0.0.0.0' }, /^host is 0\.0\.0\.0; .* use bindHost 0\.0\.0\.0/],
    [{ host: '::' }, /^host is ::; /],
    [{ weight: 0 }, /^weight is 0/],
    [{ weight: Number.NaN }, /^weight is NaN/],
    [{ port: 65_536 }, /^port is 65536; it must be a whole number between 0 and 65535/],
    [{ wsPort: 1.5 }, /^wsPort is 1.5/],
    [{ usersPerSecond: 0 }, /^usersPerSecond is 0/],
    [{ idleTimeoutSeconds: 7 }, /^idleTimeoutSeconds is 7/],
    [{ deadlineMs: Number.POSITIVE_INFINITY }, /^deadlineMs is Infinity/],
    [{ ringSettings: { virtualNodes: 0 } }, /virtualNodes is 0/],
    [{ tracking: { freezeAbove: 2 } }, /^freezeAbove is 2/],
  ] as const) {
    await t.rejects(createNode({ id: 'n1', membership, ...options }), { code: 'bad-option', message });
  }
  for (const wrong of [undefined, 'consul://127.0.0.1:8500/chat'] as unknown as Membership[]) {
    await t.rejects(createNode({ id: 'n1', membership: wrong }), {
      code: 'bad-option',
      message: new RegExp(`^membership is ${typeof wrong}; give what consulMembership`),
    });
  }
  t.same(membership.members(), []);
});

t.test('a node without its membership source does not start', async (t) => {
  const membership = inProcessMembership();
  await membership.close();
  const tracking = { startDeadlineMs: 50 };
  await t.rejects(createNode({ id: 'n1', membership, tracking }), { code: 'membership' });
});

t.test('a node of a written-down list has the ports that the list names', async (t) => {
  const [port, wsPort] = [await freePort(), await freePort()];
  const address = '127.0.0.1';
  const members = [
    { id: 'n1', address, port, wsPort },
    { id: 'n2', address, port: await freePort() },
  ];
  const membership = staticMembership(members, { pollMs: 50 });
  const nodes = await Promise.all(['n1', 'n2'].map((id) => createNode({ id, membership })));
  t.teardown(async () => {
    await Promise.all(nodes.map((node) => node.close()));
    await membership.close();
  });
  const [n1, n2] = nodes as [PinwheelNode, PinwheelNode];
  t.same([n1.port, n1.wsPort, n2.port], [port, wsPort, members[1]!.port]);
  t.match(await request(n2, 'GET', '/healthz'), { json: { id: 'n2', wsPort: n2.wsPort } });
  const ring = async () => (await request(n1, 'GET', '/v1/ring')).json as { members: { wsPort?: number }[] };
  await until('n2 says where its clients come', async () => (await ring()).members[1]?.wsPort === n2.wsPort);
});

t.test('a node that is closed', async (t) => {
  const nodes = await startNodes(t, ['n1', 'n2']);
  const [n1, n2] = [nodes.of('n1'), nodes.of('n2')];
  const [user = ''] = nodes.usersOf('n1', 1);
  const client = await connect(t, n1, user);
  await Promise.all([n1.close(), n1.close(), n1.closed]);
  await n1.close();
  await n1.drain();
  await until('its client is cut off', () => client.end);
  t.ok([1006, 1012].includes(client.end?.code ?? 0));
  t.equal(n1.sessions, 0);
  await t.rejects(request(n1, 'GET', '/healthz'));
  await until('the other one goes on alone', () => n2.tracker.current.ring.members.length === 1);
  t.same(
    nodes.membership.members().map(({ id }) => id),
    ['n2'],
  );
  await t.rejects(n1.ready(50), { code: 'deadline' });
});

t.test('a node that is told to leave while it registers leaves no entry behind', async (t) => {
  const source = inProcessMembership();
  t.teardown(() => source.close());
  const gate = new Gate();
  let port = 0;
  const membership: Membership = {
    description: source.description,
    watch: (listener) => source.watch(listener),
    refresh: () => source.refresh(),
    register: async (self) => {
      port = self.port;
      await gate.opens();
      return source.register(self);
    },
    close: async () => {},
  };
  const starting = createNode({ id: 'n1', membership, tracking: quickTracking });
  const refused = t.rejects(starting, { code: 'closed', message: /n1 was told to leave while it started/ });
  await until('it registers', () => port > 0);
  const drain = await fetch(`http://127.0.0.1:${port}/v1/drain`, { method: 'POST' });
  t.equal(drain.status, 202);
  const isAway = () =>
    fetch(`http://127.0.0.1:${port}/healthz`)
      .then(() => false)
      .catch(() => true);
  await until('it is closed', isAway);
  gate.open();
  await refused;
  t.same(source.members(), []);
});

t.test(
  'a node that is not entered yet takes nobody, though an entry under its id is in the ring',
  async (t) => {
    const source = inProcessMembership();
    t.teardown(() => source.close());
    const gate = new Gate();
    let entry: { readonly port: number; readonly wsPort?: number } | undefined;
    const starting = createNode({
      id: 'n1',
      tracking: quickTracking,
      membership: {
        description: source.description,
        watch: (listener) => source.watch(listener),
        refresh: () => source.refresh(),
        register: async (self) => {
          // of the process before, which died while the source could not be asked
          source.set({ ...self, incarnation: 'before' });
          entry = self;
          await gate.opens();
          return source.register(self);
        },
        close: async () => {},
      },
    });
    const { port, wsPort = 0 } = await until('it registers', () => entry);
    const early = { port, wsPort };
    const state = (path: string) => fetch(`http://127.0.0.1:${port}${path}`);
    await until('the entry is in its ring', async () =>
      (await (await state('/v1/ring')).text()).includes('n1'),
    );

    const ready = await state('/readyz');
    t.equal(ready.status, 503);
    t.match(await ready.json(), { status: 'waiting to be in the membership' });
    t.match(await (await state('/healthz')).json(), { status: 'ok', draining: false });
    await t.rejects(connect(t, early, 'ann'), /503/, 'no session');
    await t.rejects(connectEdge(t, early), /503/, 'no link');
    const headers = { 'content-type': 'text/plain' };
    const url = `http://127.0.0.1:${port}/v1/users/ann/messages`;
    const refused = await fetch(url, { method: 'POST', body: 'x', headers });
    t.equal(refused.status, 503);
    t.match(await refused.json(), {
      error: { code: 'unavailable', message: 'node n1 is not in the membership yet' },
    });

    gate.open();
    const node = await starting;
    t.teardown(() => node.close());
    t.match(await post(node, 'ann', 'x'), { status: 404, json: { status: 'offline' } }, 'at once');
    await connect(t, node, 'ann');
    await connectEdge(t, node);
    await node.ready();
    t.match(await request(node, 'GET', '/readyz'), { status: 200 });
  },
);

t.test('metrics carry no user, and every label has a value that is documented', async (t) => {
  const { nodeMetrics } = await import('../src/index.js');
  const nodes = await startNodes(t, ['n1']);
  const node = nodes.of('n1');
  const client = await connect(t, node, 'secret-user');
  await request(node, 'DELETE', '/v1/users/secret-user/sessions');
  await until('it is closed', () => client.end);
  await request(node, 'POST', '/v1/messages', '{"user":"secret-user","data":"x"}');
  const { text, headers } = await request(node, 'GET', '/metrics');
  for (const reason of nodeMetrics.closes.labels['reason'] ?? []) {
    t.match(
      text,
      new RegExp(`^pinwheel_node_closes_total\\{reason="${reason}"\\} [01]$`, 'm'),
      'from the start',
    );
  }
  t.match(headers.get('content-type'), /^text\/plain/);
  t.notMatch(text, /secret-user/);
  for (const { name, labels } of Object.values(nodeMetrics)) {
    t.match(text, new RegExp(`^# TYPE ${name} `, 'm'));
    for (const [label, values] of Object.entries(labels)) {
      for (const [, value = ''] of text.matchAll(new RegExp(`^${name}\\{${label}="([^"]*)"\\}`, 'gm'))) {
        t.ok(values.includes(value), `${name} ${label}=${value}`);
      }
    }
  }
  t.equal(await metric(node, 'pinwheel_node_closes_total{reason="disconnected"}'), 1);
  t.equal(await metric(node, 'pinwheel_node_receipts_total{status="offline"}'), 1);
  t.notMatch(text, /^pinwheel_node_queue_up /m, 'no alarm where there is no queue that could be away');
});
