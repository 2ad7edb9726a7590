import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { consulMembership, createRingTracker, type RingTracker } from '@pinwheel/membership';
import { createSender } from '@pinwheel/sender';
import t, { type Test } from 'tap';
import { startConsul } from './kit/consul.js';
import { Ledger } from './kit/ledger.js';
import { type PinwheelProcess, runPinwheel, startPinwheel } from './kit/pinwheel-process.js';
import { PlainClient } from './kit/plain-client.js';
import { until } from './kit/until.js';

interface NodeFacts {
  readonly id: string;
  readonly port: number;
  readonly wsPort: number;
}

interface EdgeFacts {
  readonly id: string;
  readonly port: number;
  readonly adminPort: number;
}

const userCount = 300;
const everyMs = 2;
const calm = { deadlineMs: 60_000 };

t.test(
  'a real Consul, three nodes and two edges as processes, 300 users with a plain WebSocket',
  async (t) => {
    const consul = await startConsul(t);
    const membershipUrl = consul.url('chat');
    const nodes = new Map<string, PinwheelProcess<NodeFacts>>();
    const startNode = async (id: string): Promise<void> => {
      const words = ['node', '--id', id, '--membership', membershipUrl, '--log-level', 'warn'];
      nodes.set(id, await startPinwheel<NodeFacts>(t, words));
    };
    await Promise.all(['n1', 'n2', 'n3'].map(startNode));

    const membership = consulMembership({ host: consul.host, port: consul.port, service: 'chat' });
    const tracker = createRingTracker({ membership });
    t.teardown(async () => {
      await tracker.close();
      await membership.close();
    });
    await tracker.start();
    await members(tracker, 'n1', 'n2', 'n3');

    const edges = await Promise.all(
      ['e1', 'e2'].map((id) =>
        startPinwheel<EdgeFacts>(t, [
          ...[
            'edge',
            '--id',
            id,
            '--upstream',
            'tunnel',
            '--membership',
            membershipUrl,
            '--log-level',
            'warn',
          ],
          ...['--port', '0', '--admin-port', '0'],
        ]),
      ),
    );
    const clients = new Map<string, PlainClient>();
    for (let i = 0; i < userCount; i++) {
      const edge = `ws://127.0.0.1:${edges[i % edges.length]!.facts.port}`;
      clients.set(`user-${i}`, new PlainClient(t, `user-${i}`, edge));
    }
    await everybodyIsConnected(clients);

    const sender = createSender({ tracker });
    t.teardown(() => sender.close());
    const ledger = new Ledger(sender, clients);

    const owners = (): Map<string, string> =>
      new Map([...clients.keys()].map((user) => [user, tracker.current.ring.owner(user)!]));
    const closesOf = (user: string): number => clients.get(user)!.closes.length;
    const forgetCloses = (): void => {
      for (const client of clients.values()) client.closes.length = 0;
    };

    await t.test('a sender reaches everybody, with one receipt each', async (t) => {
      const receipts = await Promise.all([...clients.keys()].map((user) => ledger.send(user)));
      t.same(
        receipts.map(({ status, sessions }) => `${status} ${sessions}`),
        receipts.map(() => 'delivered 1'),
      );
      t.match(await sender.send('nobody', 'x'), { status: 'offline' });
    });

    await t.test('curl reaches a user through a node that does not own it', async (t) => {
      const user = 'user-7';
      const wrong = [...nodes.values()].find(({ facts }) => facts.id !== tracker.current.ring.owner(user))!;
      const url = `http://127.0.0.1:${wrong.facts.port}/v1/users/${user}/messages`;
      const { stdout } = await promisify(execFile)('curl', [
        ...['-sS', '-w', ' %{http_code}', '-H', 'content-type: text/plain', '-d', 'from curl', url],
      ]);
      t.equal(stdout, `{"user":"${user}","status":"delivered","sessions":1} 200`);
      await until('it arrives', () => clients.get(user)!.received.includes('from curl'));
      clients.get(user)!.received.splice(clients.get(user)!.received.indexOf('from curl'), 1);
      const refused = await fetch(url, {
        method: 'POST',
        body: 'x',
        headers: { 'pinwheel-no-forward': '1' },
      });
      t.equal(refused.status, 421);
      t.equal(refused.headers.get('pinwheel-owner'), tracker.current.ring.owner(user));
    });

    await t.test('a node joins: its users move, nobody else notices', async (t) => {
      const before = owners();
      ledger.start(everyMs);
      await startNode('n4');
      await members(tracker, 'n1', 'n2', 'n3', 'n4');
      const moving = [...owners()]
        .filter(([user, owner]) => before.get(user) !== owner)
        .map(([user]) => user);
      t.ok(moving.length > userCount / 10, `${moving.length} of ${userCount} users belong to n4 now`);
      t.ok(
        moving.every((user) => tracker.current.ring.owner(user) === 'n4'),
        'users move to the new node only',
      );
      await until(
        'those who belong to n4 are told to move',
        () => moving.every((user) => closesOf(user) === 1),
        calm,
      );
      await everybodyIsConnected(clients);
      await settled(tracker, nodes, clients);
      await ledger.pause();
      const others = [...clients.values()].filter(({ user }) => !moving.includes(user));
      const ends = others.flatMap(({ user, closes }) =>
        closes.map(({ code, reason }) => `${user}: ${code} ${reason}`),
      );
      t.same(ends, [], 'nobody else was closed');
      t.same(affected(clients), moving.sort(), 'exactly those who move were closed');
      t.ok(
        moving.every((user) => clients.get(user)!.closes.every(({ code }) => code === 4000)),
        'with 4000',
      );
      t.match(JSON.parse(clients.get(moving[0]!)!.closes[0]!.reason), { retryAfterMs: Number });
      await honest(t, ledger);
    });

    await t.test('a node drains: its users move, it leaves and exits with 0', async (t) => {
      forgetCloses();
      const moving = [...owners()].filter(([, owner]) => owner === 'n2').map(([user]) => user);
      ledger.start(everyMs);
      const drained = await runPinwheel(['drain', 'n2', '--membership', membershipUrl, '--json']);
      t.equal(drained.code, 0, drained.stderr);
      t.match(JSON.parse(drained.stdout), { node: 'n2', users: moving.length });
      t.equal(await nodes.get('n2')!.exit, 0);
      nodes.delete('n2');
      await members(tracker, 'n1', 'n3', 'n4');
      await everybodyIsConnected(clients);
      await settled(tracker, nodes, clients);
      await ledger.pause();
      t.same(affected(clients), moving.sort(), 'exactly the users of n2 were closed');
      await honest(t, ledger);
    });

    await t.test('a node dies by SIGKILL: its users are reachable again within 10 s', async (t) => {
      forgetCloses();
      const lost = [...owners()].filter(([, owner]) => owner === 'n3').map(([user]) => user);
      ledger.start(everyMs);
      const killedAt = performance.now();
      nodes.get('n3')!.signal('SIGKILL');
      nodes.delete('n3');
      await members(tracker, 'n1', 'n4');
      await everybodyIsConnected(clients);
      await settled(tracker, nodes, clients);
      const reachable = await Promise.all(
        lost.map(async (user) => {
          await until(
            `${user} is reachable`,
            async () => (await ledger.send(user)).status === 'delivered',
            calm,
          );
          return clients.get(user)!.connectedAt - killedAt;
        }),
      );
      await ledger.pause();
      t.same(affected(clients), lost.sort(), 'exactly the users of n3 lost their connection');
      const sorted = reachable.sort((a, b) => a - b);
      const p99 = sorted[Math.ceil(sorted.length * 0.99) - 1]!;
      t.comment(`reachable again after SIGKILL: median ${ms(sorted[sorted.length >> 1]!)}, p99 ${ms(p99)}`);
      t.ok(p99 < 10_000, `p99 is ${ms(p99)}`);
      await honest(t, ledger);
    });

    await t.test(
      'SIGTERM ends the rest: edges tell their clients, nodes leave, nobody is left in Consul',
      async (t) => {
        for (const client of clients.values()) client.stop();
        for (const { signal } of [...edges, ...nodes.values()]) signal('SIGTERM');
        t.same(await Promise.all([...edges, ...nodes.values()].map(({ exit }) => exit)), [0, 0, 0, 0]);
        // the killed node's entry is critical, and Consul itself takes it out after a minute
        t.same(await consul.api('GET', '/v1/health/service/chat?passing'), []);
      },
    );
  },
);

function members(tracker: RingTracker, ...ids: readonly string[]): Promise<boolean> {
  const wanted = ids.join(' ');
  return until(
    `the ring has ${wanted}`,
    () => tracker.current.ring.members.map(({ id }) => id).join(' ') === wanted,
    calm,
  );
}

function everybodyIsConnected(clients: ReadonlyMap<string, PlainClient>): Promise<boolean> {
  return until(
    'everybody is connected',
    () => [...clients.values()].every((client) => client.isConnected),
    calm,
  );
}

/** Nobody is left where it does not belong, and every node knows. */
async function settled(
  tracker: RingTracker,
  nodes: ReadonlyMap<string, PinwheelProcess<NodeFacts>>,
  clients: ReadonlyMap<string, PlainClient>,
): Promise<void> {
  const ask = async (port: number, path: string) => (await fetch(`http://127.0.0.1:${port}${path}`)).json();
  await until(
    'the nodes hold everybody, each its own',
    async () => {
      let users = 0;
      for (const { facts } of nodes.values()) {
        const { fingerprint } = (await ask(facts.port, '/v1/ring')) as { fingerprint: string };
        const moves = (await ask(facts.port, '/v1/migrations')) as { waiting: number; users: number };
        if (fingerprint !== tracker.current.ring.fingerprint || moves.waiting > 0) return false;
        users += moves.users;
      }
      return users === clients.size;
    },
    calm,
  );
}

function affected(clients: ReadonlyMap<string, PlainClient>): readonly string[] {
  return [...clients.values()]
    .filter(({ closes }) => closes.length > 0)
    .map(({ user }) => user)
    .sort();
}

/** Every receipt is true: what it says came, and nothing else. */
async function honest(t: Test, ledger: Ledger): Promise<void> {
  await until('what was delivered has come', () => ledger.audit().lost.length === 0, {
    deadlineMs: 5000,
  }).catch(() => {});
  const { sent, byStatus, ...wrong } = ledger.audit();
  t.comment(`${sent} messages so far: ${JSON.stringify(byStatus)}`);
  t.same(wrong, { lost: [], duplicated: [], denied: [], others: [], disordered: [] });
}

function ms(time: number): string {
  return `${Math.round(time)} ms`;
}
