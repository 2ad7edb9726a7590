import t from 'tap';
import { WebSocket } from 'ws';
import { until } from '../../../test/kit/until.js';
import { createEdge, type EdgeOptions, edgeMetrics, linkMetrics } from '../src/index.js';
import { FakeNode } from './fake-node.js';
import { FakeTracker } from './fake-tracker.js';
import { member } from './link-world.js';
import { accept, RawClient, upgradeText } from './raw-client.js';
import type { TestScope } from './test-scope.js';

async function situation(t: TestScope, options: Partial<EdgeOptions> = {}) {
  const node = await FakeNode.start('n1');
  const tracker = new FakeTracker([node.member]);
  const edge = await createEdge({ id: 'e1', tracker, adminPort: 0, ...options } as EdgeOptions);
  t.teardown(async () => {
    await edge.close();
    await node.close();
  });
  const answerTo = async (text: string): Promise<RawClient> =>
    (await new RawClient(edge.port).write(text).answered()).gone();
  const connect = async (user: string, protocols: string[] = []): Promise<WebSocket> => {
    const client = new WebSocket(`ws://127.0.0.1:${edge.port}/ws?user=${user}`, protocols);
    client.on('error', () => {});
    await new Promise((resolve) => client.once('open', resolve));
    return client;
  };
  const admin = (path: string, init?: RequestInit): Promise<Response> =>
    fetch(`http://127.0.0.1:${edge.adminPort}${path}`, init);
  return { node, tracker, edge, answerTo, connect, admin };
}

t.test('links are the default, and one leads to each node that is needed', async (t) => {
  const { node, edge, connect } = await situation(t);
  t.equal(node.links.size, 0, 'nobody is dialled before somebody needs it');
  await connect('alice');
  await connect('bob');
  await node.session('alice');
  await node.session('bob');
  t.same(node.paths, ['/v1/link']);
  t.match(node.link.hello, [1, 'e1', /^[\w-]{16}$/]);
  await until('both are attached', () => edge.status.sessionsAttached === 2);
  t.match(edge.status, { connections: 2, linksUp: 1, sessionsWaiting: 0, tunnelsToNodes: 0 });
});

// what is no upgrade at all is in test/upgrade-abuses.test.ts
t.test('an upgrade is refused with what is wrong', async (t) => {
  const { edge, node, answerTo } = await situation(t);
  const refused: readonly (readonly [string, string, number])[] = [
    ['of version 12', upgradeText('/ws?user=u', { 'Sec-WebSocket-Version': '12' }), 426],
    ['with a body', `${upgradeText('/ws?user=u', { 'Content-Length': '5' })}hello`, 400],
    ['at another path', upgradeText('/other?user=u'), 404],
    ['at a path below', upgradeText('/ws/x?user=u'), 404],
    ['without a user', upgradeText('/ws'), 400],
    ['with an empty user', upgradeText('/ws?user='), 400],
    ['with a user over 256 bytes', upgradeText(`/ws?user=${'x'.repeat(257)}`), 400],
    ['with a user that is not UTF-8', upgradeText('/ws?user=%ff'), 400],
    ['with a lone surrogate', upgradeText('/ws?user=%ED%A0%80'), 400],
  ];
  for (const [what, text, status] of refused) {
    t.test(what, async (t) => {
      const client = await answerTo(text);
      t.equal(client.status, status, client.text);
      t.notMatch(client.text, 'sec-websocket-accept');
    });
  }
  t.test('of version 12 learns of 13', async (t) => {
    const client = await answerTo(upgradeText('/ws?user=u', { 'Sec-WebSocket-Version': '12' }));
    t.match(client.text, /sec-websocket-version: 13/);
  });
  t.test('reaches no node, and leaves the edge as it was', async (t) => {
    t.equal(node.links.size, 0);
    const fine = await new RawClient(edge.port).write(upgradeText('/ws?user=%E2%82%AC')).answered();
    t.equal(fine.status, 101);
    t.match(fine.text, accept);
    await node.session('€');
    fine.socket.destroy();
  });
});

t.test('what is no upgrade is told that there are WebSockets only', async (t) => {
  const { edge } = await situation(t);
  const at = (path: string, init?: RequestInit) => fetch(`http://127.0.0.1:${edge.port}${path}`, init);
  const atPath = await at('/ws?user=u');
  t.equal(atPath.status, 426);
  t.match(await atPath.json(), { error: { code: 'bad-request' } });
  t.equal((await at('/')).status, 404);
  t.equal((await at('/ws', { method: 'POST', body: 'x'.repeat(100_000) })).status, 426);
});

t.test('subprotocols', async (t) => {
  const { connect } = await situation(t);
  const chosen: readonly (readonly [offered: string[], chosen: string])[] = [
    [[], ''],
    [['pinwheel.v1'], 'pinwheel.v1'],
    [['bearer.token', 'chat', 'pinwheel.raw', 'pinwheel.v1'], 'pinwheel.v1'],
    [['bearer.token', 'chat', 'pinwheel.raw'], 'pinwheel.raw'],
    [['bearer.token', 'chat', 'other'], 'chat'],
  ];
  for (const [offered, expected] of chosen) {
    const client = await connect('u', [...offered]);
    t.equal(client.protocol, expected, offered.join(', '));
    client.terminate();
  }
  t.test('may be offered on several lines', async (t) => {
    const { edge } = await situation(t);
    const offer = (name: string): string => `Sec-WebSocket-Protocol: ${name}\r\n\r\n`;
    const text = upgradeText('/ws?user=u').replace(
      /\r\n$/,
      offer('chat').replace(/\r\n$/, offer('pinwheel.v1')),
    );
    const client = await new RawClient(edge.port).write(text).answered();
    t.match(client.text, /sec-websocket-protocol: pinwheel.v1/i);
    client.socket.destroy();
  });
  t.test('a token that is offered alone is not echoed', async (t) => {
    const { edge } = await situation(t);
    const text = upgradeText('/ws?user=u', { 'Sec-WebSocket-Protocol': 'bearer.secret' });
    const client = await new RawClient(edge.port).write(text).answered();
    t.equal(client.status, 101);
    t.notMatch(client.text, /secret|sec-websocket-protocol/i);
    client.socket.destroy();
  });
});

t.test('an edge that can take nobody says 503 and when to try again', async (t) => {
  t.test('at its bound of connections', async (t) => {
    const { answerTo, connect, edge } = await situation(t, { maxConnections: 2 });
    await connect('a');
    const second = await connect('b');
    const refused = await answerTo(upgradeText('/ws?user=c'));
    t.equal(refused.status, 503);
    t.match(refused.text, /retry-after: 1.*2 connections/s);
    second.terminate();
    await until('there is room again', () => edge.status.connections === 1);
    await connect('c');
  });

  t.test('when the ring has no members', async (t) => {
    const { answerTo, tracker } = await situation(t);
    tracker.set([]);
    const refused = await answerTo(upgradeText('/ws?user=c'));
    t.equal(refused.status, 503);
    t.match(refused.text, /retry-after: 1.*no members/s);
  });
});

t.test('an owner that no link leads to: the client is closed with 4006', async (t) => {
  const edge = await createEdge({
    id: 'e1',
    tracker: new FakeTracker([member('b1', { kind: 'foreign', port: 9 })]),
  });
  t.teardown(() => edge.close());
  const client = new WebSocket(`ws://127.0.0.1:${edge.port}/ws?user=alice`);
  const code = await new Promise((resolve) => client.once('close', resolve));
  t.equal(code, 4006);
});

t.test('options that cannot be', async (t) => {
  const tracker = new FakeTracker();
  const wrong: readonly (readonly [object, RegExp])[] = [
    [{ attachesPerSecond: 0 }, /attachesPerSecond is 0; it must be/],
    [{ maxConnections: 0 }, /maxConnections is 0; it must be/],
    [{ maxInboundBytes: 2_000_000 }, /maxInboundBytes is 2000000; it must be .* to 1048576/],
    [{ maxUnreadBytes: 10 }, /maxUnreadBytes is 10; it must be/],
    [{ idleTimeoutSeconds: 5 }, /idleTimeoutSeconds is 5; it must be 0 or .* 8 to 960/],
    [{ keepAliveMs: 10 }, /keepAliveMs is 10; it must be/],
  ];
  for (const [options, message] of wrong) {
    await t.rejects(createEdge({ id: 'e1', tracker, ...options } as EdgeOptions), {
      code: 'bad-option',
      message,
    });
  }
  const first = await createEdge({ id: 'e1', tracker });
  t.teardown(() => first.close());
  await t.rejects(createEdge({ id: 'e2', tracker, port: first.port }), { code: 'listen' }, 'a port in use');
});

t.test('the admin port', async (t) => {
  const { edge, connect, node, admin } = await situation(t);
  await connect('alice');
  await node.session('alice');
  await until('alice is attached', () => edge.status.sessionsAttached === 1);

  t.test('shows the pace of attaches where tunnels have moves', async (t) => {
    t.match(await (await admin('/v1/migrations')).json(), {
      paused: false,
      usersPerSecond: 5000,
      waiting: 0,
    });
    const change = (body: object) => admin('/v1/migrations', { method: 'POST', body: JSON.stringify(body) });
    t.match(await (await change({ usersPerSecond: 100, paused: false })).json(), { usersPerSecond: 100 });
    const refused = await change({ paused: true });
    t.equal(refused.status, 400);
    t.match(await refused.json(), { error: { message: /its nodes do/ } });
  });

  t.test('has the metrics of the table', async (t) => {
    const text = await (await admin('/metrics')).text();
    const names = [...text.matchAll(/^# TYPE (pinwheel_(?:edge|memory|client)\S+)/gm)].map(
      ([, name]) => name,
    );
    const table = Object.values({ ...edgeMetrics, ...linkMetrics }).map(({ name }) => name);
    t.same(names.sort(), table.sort());
    t.match(text, 'pinwheel_edge_links{state="up"} 1');
    t.match(text, 'pinwheel_edge_sessions{state="attached"} 1');
    t.match(text, 'pinwheel_edge_attaches_total{outcome="attached"} 1');
    t.match(text, 'pinwheel_edge_upgrades_total{outcome="opened"} 1');
    t.notMatch(text, 'alice');
  });
});
