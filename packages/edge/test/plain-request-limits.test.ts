import type { ServerResponse } from 'node:http';
import t from 'tap';
import { until } from '../../../test/kit/until.js';
import { createEdge, type EdgeOptions } from '../src/index.js';
import { wsBackend } from './backends.js';
import { FakeTracker, foreign } from './fake-tracker.js';
import { RawClient, upgradeText } from './raw-client.js';
import type { TestScope } from './test-scope.js';

const get = (user: string, from = '192.0.2.1'): string =>
  `GET /x?user=${user} HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: ${from}\r\n\r\n`;

/** An edge in front of a backend that answers a plain request when it is told to. */
async function situation(t: TestScope, options: Partial<EdgeOptions>) {
  const waiting: ServerResponse[] = [];
  let arrived = 0;
  const backend = await wsBackend('a', undefined, (_request, response) => {
    arrived++;
    waiting.push(response);
    response.once('close', () => waiting.splice(waiting.indexOf(response), 1));
  });
  const tracker = new FakeTracker([foreign('a', backend.port)]);
  const trustedProxies = ['127.0.0.1'];
  const edge = await createEdge({ id: 'e1', upstream: 'tunnel', tracker, trustedProxies, ...options });
  t.teardown(async () => {
    await edge.close();
    await backend.close();
  });
  const begin = async (text: string, requests = 1): Promise<RawClient> => {
    const before = arrived;
    const client = new RawClient(edge.port).write(text);
    await until('the backend has the request', () => arrived === before + requests);
    return client;
  };
  const ask = (text: string): Promise<RawClient> => new RawClient(edge.port).write(text).answered();
  return { edge, waiting, begin, ask };
}

const rows: readonly {
  readonly limit: string;
  readonly outcome: string;
  readonly bounds: Partial<EdgeOptions>;
  readonly status: number;
  readonly code: string;
  /** Of another user or from another address, where that is enough to be let in. */
  readonly another?: string;
}[] = [
  {
    limit: 'connections',
    outcome: 'overloaded',
    bounds: { maxConnections: 2 },
    status: 503,
    code: 'overloaded',
  },
  {
    limit: 'user-connections',
    outcome: 'limit-reached',
    bounds: { maxConnectionsPerUser: 2 },
    status: 429,
    code: 'limit-reached',
    another: get('other'),
  },
  {
    limit: 'address-connections',
    outcome: 'limit-reached',
    bounds: { maxConnectionsPerAddress: 2 },
    status: 429,
    code: 'limit-reached',
    another: get('u', '192.0.2.2'),
  },
];

t.test('plain requests that are being answered have places', async (t) => {
  for (const { limit, outcome, bounds, status, code, another } of rows) {
    t.test(limit, async (t) => {
      const { edge, waiting, begin, ask } = await situation(t, bounds);
      const kept = await begin(get('u'));
      await begin(get('u'));
      for (const text of [get('u'), upgradeText('/ws?user=u', { 'X-Forwarded-For': '192.0.2.1' })]) {
        const refused = await ask(text);
        t.equal(refused.status, status, refused.text);
        t.match(refused.text, /retry-after: 1\r\n/);
        t.match(JSON.parse(String(refused.body)), { error: { code } });
      }
      const metrics = await edge.metrics();
      t.match(metrics, `pinwheel_edge_limits_reached_total{limit="${limit}"} 2`);
      t.match(metrics, `pinwheel_edge_requests_total{outcome="${outcome}"} 1`);
      if (another !== undefined) (await begin(another)).socket.destroy();

      waiting[0]!.end('first');
      await until('the first has its answer', () => kept.text.endsWith('first'));
      t.notOk(kept.ended, 'its connection stays');
      await begin(get('u'));
      t.equal((await ask(get('u'))).status, status, 'and one more may come, but not two');
    });
  }
  t.test('beside tunnels', async (t) => {
    const { ask } = await situation(t, { maxConnections: 1 });
    const tunnel = await ask(upgradeText('/ws?user=u'));
    t.equal(tunnel.status, 101);
    t.equal((await ask(get('u'))).status, 503);
    tunnel.socket.destroy();
  });
  t.test('and count among those that come in a second', async (t) => {
    const { edge, ask } = await situation(t, { connectsPerSecond: 2 });
    // they name no user: the backend does not have to answer
    const nobody = 'GET /x HTTP/1.1\r\nHost: x\r\n\r\n';
    const answers = await Promise.all(Array.from({ length: 10 }, () => ask(nobody)));
    const refused = answers.find(({ status }) => status === 503)!;
    t.match(refused.text, /retry-after: 1\r\n/);
    t.match(await edge.metrics(), /pinwheel_edge_limits_reached_total\{limit="connects"\} [1-9]/);
  });
});

t.test('a place is left', async (t) => {
  const bounds = { maxConnections: 12, maxConnectionsPerUser: 12, maxConnectionsPerAddress: 12 };
  const ways: readonly (readonly [string, (client: RawClient) => void])[] = [
    ['by a client that resets', (client) => client.socket.resetAndDestroy()],
    ['by a client that goes', (client) => client.socket.destroy()],
  ];
  for (const [what, leave] of ways) {
    t.test(`${what}, with twelve requests on one connection`, async (t) => {
      const { edge, begin, ask } = await situation(t, bounds);
      const warnings: Error[] = [];
      const warned = (warning: Error): void => void warnings.push(warning);
      process.on('warning', warned);
      for (let i = 0; i < 3; i++) {
        const client = await begin(get('u').repeat(12), 12);
        t.equal((await ask(get('u'))).status, 503, 'none is free');
        leave(client);
        await until('the edge is rid of it', () => edge.status.connections === 0);
      }
      process.off('warning', warned);
      t.same(warnings, [], 'nobody listens too often');
    });
  }
  t.test('by one that is refused', async (t) => {
    const { ask } = await situation(t, { maxConnections: 1 });
    for (let i = 0; i < 5; i++) t.equal((await ask(get('%FF'))).status, 400);
  });
});
