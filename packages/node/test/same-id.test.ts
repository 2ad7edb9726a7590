import t from 'tap';
import { until } from '../../../test/kit/until.js';
import { connect } from './kit/client.js';
import { nodeElsewhere } from './kit/node-elsewhere.js';
import { dyingMembership, startNodes } from './kit/nodes.js';
import { post, request } from './kit/requests.js';

t.test('an id that another node has is refused, and that node goes on', async (t) => {
  const nodes = await startNodes(t, ['n1']);
  const n1 = nodes.of('n1');
  const client = await connect(t, n1, 'ann');
  await t.rejects(nodes.start('n1'), {
    code: 'membership',
    message: `id n1 is in use by 127.0.0.1:${n1.port}; stop that node or choose another id`,
  });
  t.equal(nodes.membership.members()[0]?.port, n1.port);
  t.match(await post(n1, 'ann', 'still here'), { status: 200 });
  t.equal(client.end, undefined);
});

t.test('an id is free again when who had it has died', async (t) => {
  const nodes = await startNodes(t, ['n2']);
  const dead = await nodes.start('n1', {}, dyingMembership(nodes.membership));
  await dead.close();
  t.ok(
    nodes.membership.members().some(({ id }) => id === 'n1'),
    'its entry is still there',
  );
  const again = await nodes.start('n1');
  await nodes.agree(['n1', 'n2']);
  await again.close();
  const port = await nodeElsewhere(t, { id: 'n7' });
  nodes.membership.set({ id: 'n1', port, incarnation: 'another' });
  const node = await nodes.start('n1');
  await node.ready();
  await node.close();
});

t.test('an id is free again when who had it has drained, and not before', async (t) => {
  const nodes = await startNodes(t, ['n1', 'n2'], { usersPerSecond: 1, drainMs: 60_000 });
  const before = nodes.of('n1');
  const clients = await Promise.all(nodes.usersOf('n1', 20).map((user) => connect(t, before, user)));
  const drained = before.drain();
  await until('the ring is without it', () => nodes.of('n2').tracker.current.ring.members.length === 1);
  await t.rejects(nodes.start('n1'), {
    code: 'membership',
    message: `id n1 is in use by 127.0.0.1:${before.port}, which drains; start again when it has ended or choose another id`,
  });
  t.match(await request(before, 'GET', '/healthz'), { json: { status: 'draining' } });
  const starting = nodes.start('n1');
  await request(before, 'POST', '/v1/migrations', '{"usersPerSecond":1000}');
  await drained;
  await starting;
  await nodes.agree(['n1', 'n2']);
  t.ok(clients.every(({ end }) => end?.code === 4000));
});

t.test('a node that was replaced', async (t) => {
  const errors: string[] = [];
  const nodes = await startNodes(t, ['n1', 'n2'], {
    usersPerSecond: 20,
    log: { info: () => {}, warn: () => {}, error: (_, text) => errors.push(text) },
  });
  const n1 = nodes.of('n1');
  const users = nodes.usersOf('n1', 42);
  const last = users.at(-1) ?? '';
  const clients = await Promise.all(users.slice(0, -1).map((user) => connect(t, n1, user)));

  const port = await nodeElsewhere(t);
  nodes.membership.set({ id: 'n1', port, wsPort: 9, incarnation: 'another' });
  await until('it knows', async () => (await request(n1, 'GET', '/readyz')).json['status'] === 'replaced');
  t.match(await request(n1, 'GET', '/readyz'), { status: 503 });
  t.match(await request(n1, 'GET', '/healthz'), {
    status: 200,
    json: { status: 'replaced', draining: true },
  });
  await t.rejects(connect(t, n1, last), /503/, 'it lets nobody in');
  const answer = await post(n1, last, 'x');
  t.match(answer, { status: 503, json: { error: { code: 'unavailable', message: /has taken the place/ } } });
  await n1.closed;
  await until('everybody was sent on', () => clients.every(({ end }) => end?.code === 4000));
  t.match(errors, [
    `id n1 is in use by 127.0.0.1:${port}: this process was replaced, sends its users on and ends; ids must be unique`,
  ]);
  t.match(
    nodes.membership.members().find(({ id }) => id === 'n1'),
    { port, incarnation: 'another' },
    'the entry of the other one stays',
  );
});

t.test('a node that was replaced takes its entry out before its users have gone', async (t) => {
  const nodes = await startNodes(t, ['n2'], { usersPerSecond: 1 });
  const { membership } = nodes;
  let usersAtLeave: number | undefined;
  const n1 = await nodes.start(
    'n1',
    { usersPerSecond: 1 },
    {
      description: membership.description,
      watch: (listener) => membership.watch(listener),
      refresh: () => membership.refresh(),
      register: async (self) => {
        const { drain, leave } = await membership.register(self);
        return {
          drain,
          leave: () => {
            usersAtLeave ??= n1.sessions;
            return leave();
          },
        };
      },
      close: async () => {},
    },
  );
  await nodes.agree(['n1', 'n2']);
  await Promise.all(nodes.usersOf('n1', 20).map((user) => connect(t, n1, user)));
  membership.set({ id: 'n1', port: await nodeElsewhere(t), incarnation: 'another' });
  await until('it has left', () => usersAtLeave !== undefined);
  t.equal(usersAtLeave, 20, 'so nobody enters it again');
});

t.test('an entry of another that nobody answers for changes nothing', async (t) => {
  const nodes = await startNodes(t, ['n1']);
  const n1 = nodes.of('n1');
  const client = await connect(t, n1, 'ann');
  const { port } = n1;
  nodes.membership.set({ id: 'n1', port, incarnation: 'another' });
  const later = await nodeElsewhere(t, { draining: true });
  nodes.membership.set({ id: 'n1', port: later, incarnation: 'another' });
  await until('it has heard', () => n1.tracker.current.members.get('n1')?.port === later);
  t.match(await request(n1, 'GET', '/healthz'), { json: { status: 'ok' } });
  t.match(await post(n1, 'ann', 'x'), { status: 200 });
  t.equal(client.end, undefined);
});

t.test('entries that do not say whose they are', async (t) => {
  const nodes = await startNodes(t, ['n1', 'n2']);
  const { incarnation = '' } = nodes.membership.members().find(({ id }) => id === 'n1') ?? {};
  const asked = { ourselves: 0, nobody: 0 };
  const ourselves = await nodeElsewhere(t, { incarnation }, () => asked.ourselves++);
  const nobody = await nodeElsewhere(t, { id: 'n7' }, () => asked.nobody++);
  nodes.membership.set({ id: 'n1', port: ourselves });
  nodes.membership.set({ id: 'n2', port: nobody });
  await until('one goes on asking', () => asked.nobody >= 4);
  t.equal(asked.ourselves, 1, 'the one that has found itself does not');

  nodes.membership.set({ id: 'n1', port: await nodeElsewhere(t) });
  await nodes.of('n1').closed;
  t.match(nodes.of('n2').tracker.current.members.get('n2'), { port: nobody }, 'it is still heeded');
});
