import type { MetricDefinition } from '@pinwheel/metrics';
import t from 'tap';
import { WebSocket } from 'ws';
import { rawCall } from '../../../test/kit/raw-call.js';
import { until } from '../../../test/kit/until.js';
import { createEdge, type EdgeOptions, edgeMetrics, tunnelMetrics } from '../src/index.js';
import { wsBackend } from './backends.js';
import { FakeTracker, foreign } from './fake-tracker.js';
import { RawClient, upgradeText } from './raw-client.js';
import type { TestScope } from './test-scope.js';
import { untilCounted } from './until-counted.js';

async function situation(
  t: TestScope,
  options: Partial<EdgeOptions> = {},
  onConnection?: (socket: WebSocket) => void,
) {
  const backend = await wsBackend('a', onConnection);
  const tracker = new FakeTracker([foreign('a', backend.port)]);
  const edge = await createEdge({ id: 'e1', upstream: 'tunnel', tracker, adminPort: 0, ...options });
  t.teardown(async () => {
    await edge.close();
    await backend.close();
  });
  const admin = (path: string, init?: RequestInit): Promise<Response> =>
    fetch(`http://127.0.0.1:${edge.adminPort}${path}`, init);
  const connect = async (count: number) => {
    const codes: number[] = [];
    const delays: number[] = [];
    const clients = Array.from({ length: count }, (_, i) => {
      const client = new WebSocket(`ws://127.0.0.1:${edge.port}/ws?user=user-${i}`);
      client.on('error', () => {});
      client.on('close', (code, reason) => {
        codes.push(code);
        if (reason.length > 0) delays.push(JSON.parse(String(reason)).retryAfterMs);
      });
      return client;
    });
    await until(`${count} open`, () => clients.every((client) => client.readyState === WebSocket.OPEN));
    return { clients, codes, delays };
  };
  return { backend, tracker, edge, admin, connect };
}

t.test('an edge drains', async (t) => {
  const { edge, backend, admin, connect } = await situation(t, { drainMs: 4000 });
  const { codes, delays } = await connect(200);
  t.equal((await admin('/readyz')).status, 200);
  t.equal((await admin('/readyz', { method: 'HEAD' })).status, 200, 'for a probe that wants no body');
  t.equal((await admin('/v1/ring', { method: 'HEAD' })).status, 405, 'probes only');
  const startedAt = performance.now();
  const drained = edge.drain();
  t.equal(edge.drain() instanceof Promise, true, 'twice is once');
  t.equal((await admin('/readyz', { method: 'HEAD' })).status, 503);
  const ready = await admin('/readyz');
  t.same([ready.status, await ready.json()], [503, { status: 'not-ready', reason: 'the edge is draining' }]);
  t.equal((await admin('/healthz')).status, 200, 'it is still alive');
  await drained;
  t.ok(performance.now() - startedAt < 4000, 'over as soon as all are gone');
  await until('every client knows', () => codes.length === 200);
  t.same(new Set(codes), new Set([4000]));
  t.equal(delays.length, 200);
  for (let quarter = 0; quarter < 4; quarter++) {
    const share = delays.filter((ms) => ms >= quarter * 1000 && ms < (quarter + 1) * 1000).length;
    t.ok(Math.abs(share - 50) <= 2, `quarter ${quarter} of the window gets ${share} of 200 back`);
  }
  t.equal(edge.status.connections, 0);
  await until('the backend is rid of them', () => backend.sockets.size === 0);
  await t.rejects(fetch(`http://127.0.0.1:${edge.port}/?user=u`), 'nobody listens any more');
  await untilCounted(edge, 'pinwheel_edge_closes_total{reason="drained"} 200');
});

t.test('an edge drains and a client does not go', async (t) => {
  const { edge, backend } = await situation(t, { drainMs: 200 }, () => {});
  const client = await new RawClient(edge.port).write(upgradeText('/ws?user=u')).answered();
  client.socket.removeAllListeners('end');
  const startedAt = performance.now();
  await edge.drain();
  t.ok(performance.now() - startedAt >= 195);
  t.equal(edge.status.connections, 0, 'it is cut off at the deadline');
  await until('the backend is rid of it', () => backend.sockets.size === 0);
});

t.test('a drain is asked for by the admin port, and an upgrade comes late', async (t) => {
  const { edge, admin } = await situation(t, { drainMs: 500 });
  const late = new RawClient(edge.port).write('GET /ws?user=u HTTP/1.1\r\nHost: x\r\n');
  await until('its connection is there', () => edge.status.connections === 1);
  const answer = await admin('/v1/drain', { method: 'POST' });
  t.equal(answer.status, 202);
  t.match(await answer.json(), { status: 'draining', connections: 1 });
  late.write(upgradeText('').replace(/^.*\r\nHost.*\r\n/, ''));
  await late.gone();
  t.equal(late.status, 503);
});

t.test('an edge is closed', async (t) => {
  const { edge, connect, admin } = await situation(t);
  const { codes } = await connect(20);
  await edge.close();
  await until('every client is cut off', () => codes.length === 20);
  t.same(new Set(codes), new Set([1006]));
  t.equal(edge.status.connections, 0);
  await t.rejects(admin('/healthz'));
  await edge.close();
  await edge.drain();
});

t.test('the admin port', async (t) => {
  const { edge, tracker, admin } = await situation(t);
  t.test('says how it is', async (t) => {
    t.same(await (await admin('/healthz')).json(), { status: 'ok', id: 'e1' });
    t.same(await (await admin('/readyz')).json(), { status: 'ready' });
  });
  t.test('is not ready without a ring', async (t) => {
    const { admin, tracker } = await situation(t);
    tracker.set([]);
    const answer = await admin('/readyz');
    t.same(
      [answer.status, await answer.json()],
      [503, { status: 'not-ready', reason: 'the ring has no members' }],
    );
  });
  t.test('shows the ring', async (t) => {
    const { ring, members } = tracker.current;
    const a = members.get('a')!;
    tracker.set([a, { ...a, id: 'b', draining: true }]);
    t.same(await (await admin('/v1/ring')).json(), {
      fingerprint: ring.fingerprint,
      index: '2',
      settings: { hash: 'xxhash32', virtualNodes: 64 },
      members: [
        { id: 'a', address: '127.0.0.1', port: a.port, weight: 1, state: 'active', share: 1 },
        { id: 'b', address: '127.0.0.1', port: a.port, weight: 1, state: 'draining', share: 0 },
      ],
    });
  });
  t.test('accepts a ring', async (t) => {
    const answer = await admin('/v1/ring/accept', { method: 'POST' });
    t.match(await answer.json(), { fingerprint: String, members: Array });
    t.equal(tracker.accepted, 1);
  });
  t.test('without keys refuses pages of others that a browser on the machine has open', async (t) => {
    const from = async (target: string, origin: string, method = 'POST'): Promise<number> =>
      (await rawCall(edge.adminPort!, { method, target, headers: [['Origin', origin]] })).status;
    for (const origin of ['https://evil.example', 'null']) {
      t.equal(await from('/v1/drain', origin), 403);
      t.equal(await from('/healthz', origin, 'GET'), 200);
    }
    t.equal((await admin('/readyz')).status, 200, 'it does not drain');
    t.equal(await from('/v1/ring/accept', 'http://localhost:3000'), 200);
  });
  t.test('refuses what it does not know', async (t) => {
    t.equal((await admin('/v1/other')).status, 404);
    const wrongMethod = await admin('/v1/drain');
    t.same([wrongMethod.status, wrongMethod.headers.get('allow')], [405, 'POST']);
    const bodies: readonly (readonly [string, number, RegExp])[] = [
      ['', 400, /not JSON/],
      ['[]', 400, /JSON object/],
      ['{"paused":1}', 400, /paused is 1; it must be true or false/],
      ['{"pause":true}', 400, /"pause" is not known/],
      ['{"usersPerSecond":0}', 400, /usersPerSecond is 0; it must be a whole number from 1 to 1000000/],
      [JSON.stringify('x'.repeat(70_000)), 413, /65536 bytes/],
    ];
    for (const [body, status, message] of bodies) {
      const answer = await admin('/v1/migrations', { method: 'POST', body });
      t.equal(answer.status, status);
      t.match(await answer.json(), { error: { message } });
    }
    t.match(edge.migration, { paused: false, usersPerSecond: 500 }, 'and nothing of it has taken effect');
  });
});

t.test('the metrics', async (t) => {
  const { edge, admin, connect } = await situation(t);
  const { clients } = await connect(3);
  const text = await (await admin('/metrics')).text();
  t.test('are those of the table, with its types and labels', async (t) => {
    const ours = [...text.matchAll(/^# TYPE (pinwheel_(?:edge|memory|client)\S+) (\S+)$/gm)].map(
      ([, name, type]) => [name, type],
    );
    const all = Object.values<MetricDefinition>({ ...edgeMetrics, ...tunnelMetrics });
    const table = all.map(({ name, type }) => [name, type]);
    t.same(new Map(ours as [string, string][]), new Map(table as [string, string][]));
    for (const { name, type, labels } of all) {
      if (type === 'histogram') continue;
      const lines = text
        .split('\n')
        .filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `));
      const values = Object.entries(labels).flatMap(([label, known]) =>
        known.map((value) => `${name}{${label}="${value}"}`),
      );
      t.same(
        lines.map((line) => line.slice(0, line.lastIndexOf(' '))).sort(),
        values.length > 0 ? values.sort() : [name],
      );
    }
  });
  t.test('count', async (t) => {
    t.match(text, 'pinwheel_edge_tunnels{kind="foreign"} 3');
    t.match(text, 'pinwheel_edge_connections 3');
    t.match(text, 'pinwheel_edge_upgrades_total{outcome="tunnelled"} 3');
    t.match(text, 'pinwheel_edge_upgrade_seconds_count 3');
    t.match(text, 'pinwheel_ring_members 1');
    t.match(text, 'pinwheel_event_loop_delay_seconds{quantile="0.99"}');
    t.equal(
      await edge.metrics().then((again) => /outcome="tunnelled"} (\d)/.exec(again)?.[1]),
      '3',
      'once, however often they are read',
    );
  });
  t.test('have no user in them', async (t) => t.notMatch(text, /user-\d/));
  for (const client of clients) client.terminate();
});
