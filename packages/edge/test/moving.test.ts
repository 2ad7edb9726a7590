import t from 'tap';
import { WebSocket } from 'ws';
import { until } from '../../../test/kit/until.js';
import { createEdge, type Edge, type EdgeOptions } from '../src/index.js';
import { type WsBackend, wsBackend } from './backends.js';
import { FakeTracker, foreign, node, userOf } from './fake-tracker.js';
import { RawClient, serverFrames, upgradeText } from './raw-client.js';
import type { TestScope } from './test-scope.js';

interface Closed {
  readonly code: number;
  readonly reason: string;
  readonly at: number;
}

/** One user's connection by the `ws` client, and all that happened to it. */
class Client {
  readonly user: string;
  readonly socket: WebSocket;
  readonly errors: Error[] = [];
  messages = 0;
  bytes = 0;
  wrong = 0;
  closed: Closed | undefined;

  constructor(edge: Edge, user: string) {
    this.user = user;
    this.socket = new WebSocket(`ws://127.0.0.1:${edge.port}/ws?user=${user}`);
    this.socket.on('message', (data: Buffer) => {
      this.messages++;
      this.bytes += data.length;
      if (data[0] !== 7 || data.at(-1) !== 7) this.wrong++;
    });
    this.socket.on('error', (error) => this.errors.push(error));
    this.socket.on('close', (code, reason) => {
      this.closed = { code, reason: String(reason), at: performance.now() };
    });
  }
}

async function situation(
  t: TestScope,
  options: Partial<EdgeOptions> = {},
  onConnection?: (socket: WebSocket) => void,
) {
  const backends: WsBackend[] = [];
  for (const name of ['a', 'b', 'c']) backends.push(await wsBackend(name, onConnection));
  const [a, b, c] = backends.map((backend, i) => foreign('abc'[i]!, backend.port)) as [
    ReturnType<typeof foreign>,
    ReturnType<typeof foreign>,
    ReturnType<typeof foreign>,
  ];
  const tracker = new FakeTracker([a, b]);
  const edge = await createEdge({ id: 'e1', upstream: 'tunnel', tracker, adminPort: 0, ...options });
  t.teardown(async () => {
    await edge.close();
    await until('no socket is left', () => edge.status.connections === 0);
    for (const backend of backends) {
      await until('no backend socket is left', () => backend.sockets.size === 0);
      await backend.close();
    }
  });
  const connect = async (count: number): Promise<readonly Client[]> => {
    const clients = Array.from({ length: count }, (_, i) => new Client(edge, `user-${i}`));
    await until(`${count} tunnels`, () => edge.status.tunnelsToForeign === count);
    await until(`${count} open clients`, () =>
      clients.every((client) => client.socket.readyState === WebSocket.OPEN),
    );
    return clients;
  };
  const movingTo = (clients: readonly Client[], id: string): readonly Client[] =>
    clients.filter((client) => tracker.current.ring.owner(client.user) === id);
  return { edge, tracker, members: { a, b, c }, connect, movingTo };
}

/** Large frames without a pause, each of sevens. */
function stream(socket: WebSocket): void {
  const frame = Buffer.alloc(30_000, 7);
  const more = (): void => {
    if (socket.readyState === WebSocket.OPEN) socket.send(frame, () => setTimeout(more, 20));
  };
  more();
}

t.test('300 tunnels while large frames stream', async (t) => {
  const { edge, tracker, members, connect, movingTo } = await situation(t, { usersPerSecond: 100 }, stream);
  const clients = await connect(300);
  await until('everybody is in the middle of it', () => clients.every((client) => client.messages > 0));
  const startedAt = performance.now();
  tracker.set([members.a, members.b, members.c]);
  const moving = movingTo(clients, 'c');
  const staying = clients.filter((client) => !moving.includes(client));
  t.ok(moving.length > 50 && staying.length > 100, `${moving.length} of 300 move`);
  t.equal(edge.migration.waiting, moving.length);
  await until('all of them are closed', () => moving.every((client) => client.closed !== undefined));

  t.same(new Set(moving.map((client) => client.closed?.code)), new Set([4000]));
  const delays = moving.map((client) => JSON.parse(client.closed!.reason).retryAfterMs);
  t.ok(delays.every((ms) => ms >= 0 && ms <= 100));
  t.ok(
    clients.every((client) => client.errors.length === 0 && client.wrong === 0),
    'no client saw a protocol error or a broken message',
  );
  const seconds = (Math.max(...moving.map((client) => client.closed!.at)) - startedAt) / 1000;
  t.ok(
    seconds >= moving.length / 100 - 0.2,
    `took ${seconds.toFixed(2)} s for ${moving.length} at 100 a second`,
  );
  t.ok(
    staying.every((client) => client.closed === undefined),
    'nobody else is closed',
  );
  const before = staying.map((client) => client.messages);
  await until('nobody else waits', () => staying.every((client, i) => client.messages > before[i]!));
  await until('the books are right', () => edge.status.tunnelsToForeign === staying.length);
  t.match(edge.migration, { waiting: 0, moved: moving.length, foreign: staying.length });
  for (const client of clients) client.socket.terminate();
});

t.test('users whose owner stays the same get no byte', async (t) => {
  const { tracker, members, edge } = await situation(t, { usersPerSecond: 10_000 });
  const users = Array.from({ length: 60 }, (_, i) => `user-${i}`);
  const clients = users.map((user) => new RawClient(edge.port).write(upgradeText(`/ws?user=${user}`)));
  await until('60 tunnels', () => edge.status.tunnelsToForeign === 60);
  await until('60 answers', () => clients.every((client) => client.status === 101));
  const before = clients.map((client) => client.received.length);
  tracker.set([members.a, members.b, members.c]);
  const staying = users.map((user) => tracker.current.ring.owner(user) !== 'c');
  await until('the others have their close frame', () =>
    clients.every((client, i) => staying[i] || client.received.length > before[i]!),
  );
  t.ok(clients.every((client, i) => !staying[i] || client.received.length === before[i]));
  for (const client of clients) client.socket.destroy();
});

t.test('the moves are paused and resumed by the admin port', async (t) => {
  const { tracker, members, edge, connect, movingTo } = await situation(t, { usersPerSecond: 50 });
  const url = `http://127.0.0.1:${edge.adminPort}/v1/migrations`;
  const clients = await connect(300);
  tracker.set([members.a, members.b, members.c]);
  const moving = movingTo(clients, 'c');
  const gone = (): number => clients.filter((client) => client.closed !== undefined).length;
  await until('the first are gone', () => gone() >= 5);
  const paused = await (await fetch(url, { method: 'POST', body: '{"paused":true}' })).json();
  t.match(paused, { paused: true, usersPerSecond: 50, foreign: Number });
  const left = edge.migration.waiting;
  await until('those who were told are gone', () => gone() === moving.length - left);
  const since = performance.now();
  await until('half a second passes', () => performance.now() - since > 500);
  t.match(await (await fetch(url)).json(), { paused: true, waiting: left, moved: moving.length - left });
  t.equal(gone(), moving.length - left);
  await fetch(url, { method: 'POST', body: '{"paused":false,"usersPerSecond":5000}' });
  await until('the rest is gone', () => gone() === moving.length);
  for (const client of clients) client.socket.terminate();
});

t.test('the ring changes from A to B and back to A', async (t) => {
  const { tracker, members, edge, connect, movingTo } = await situation(t, { usersPerSecond: 20 });
  const clients = await connect(200);
  tracker.set([members.a, members.b, members.c]);
  const moving = movingTo(clients, 'c').length;
  await until('the first are gone', () => edge.migration.moved >= 3);
  tracker.set([members.a, members.b]);
  const { moved } = edge.migration;
  t.ok(moved < moving);
  t.equal(edge.migration.waiting, 0, 'whoever still was where he belongs, stays');
  await until('those who were told are gone', () => edge.status.tunnelsToForeign === 200 - moved);
  const since = performance.now();
  await until('half a second passes', () => performance.now() - since > 500);
  t.equal(clients.filter((client) => client.closed !== undefined).length, moved);
  for (const client of clients) client.socket.terminate();
});

t.test('tunnels to Pinwheel nodes are left to their node', async (t) => {
  const backend = await wsBackend('n1');
  const tracker = new FakeTracker([node('n1', backend.port)]);
  const edge = await createEdge({ id: 'e1', upstream: 'tunnel', tracker, usersPerSecond: 10_000 });
  t.teardown(async () => {
    await edge.close();
    await backend.close();
  });
  const client = await new RawClient(edge.port).write(upgradeText('/ws?user=u')).answered();
  const before = client.received.length;
  tracker.set([node('n1', backend.port), { ...node('n2', 1), weight: 100 }]);
  t.match(edge.migration, { waiting: 0, foreign: 0 });
  t.match(edge.status, { connections: 1, tunnelsToNodes: 1, tunnelsToForeign: 0 });
  client.write(Buffer.from([0x81, 0x83, 0, 0, 0, 0, 0x77, 0x68, 0x6f]));
  await until('it answers as before', () => client.received.length > before);
  t.equal(String(serverFrames(client.body)[0]?.payload), 'n1');
  client.socket.destroy();
});

t.test('a user who reconnects comes to his new owner', async (t) => {
  const { tracker, members, edge } = await situation(t, { usersPerSecond: 1000 });
  const user = (() => {
    tracker.set([members.a, members.b, members.c]);
    const found = userOf(tracker, 'c');
    tracker.set([members.a, members.b]);
    return found;
  })();
  const first = new Client(edge, user);
  await until('the tunnel', () => edge.status.tunnelsToForeign === 1);
  tracker.set([members.a, members.b, members.c]);
  await until('the close', () => first.closed?.code === 4000);
  const name = await new Promise<string>((resolve) => {
    const second = new WebSocket(`ws://127.0.0.1:${edge.port}/ws?user=${user}`);
    second.once('open', () => second.send('who'));
    second.once('message', (data) => {
      resolve(String(data));
      second.close();
    });
  });
  t.equal(name, 'c');
  t.equal(edge.migration.waiting, 0);
});
