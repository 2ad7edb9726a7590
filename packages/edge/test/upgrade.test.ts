import t from 'tap';
import { until } from '../../../test/kit/until.js';
import { createEdge, type Edge } from '../src/index.js';
import { onHead, rawBackend, wsBackend } from './backends.js';
import { FakeTracker, foreign, node, userOf } from './fake-tracker.js';
import { edgeBefore } from './foreign-situation.js';
import { accept, clientFrame, RawClient, upgradeText } from './raw-client.js';
import type { TestScope } from './test-scope.js';
import { untilCounted } from './until-counted.js';

/** An edge in front of one `ws` server that echoes. */
async function situation(
  t: TestScope,
  options: { readonly path?: string | readonly string[]; readonly maxConnections?: number } = {},
) {
  const backend = await wsBackend('a');
  const tracker = new FakeTracker([foreign('a', backend.port)]);
  const edge = await createEdge({ id: 'e1', upstream: 'tunnel', tracker, ...options });
  t.teardown(async () => {
    await edge.close();
    await until('the edge is without sockets', () => edge.status.connections === 0);
    await until('the backend is without sockets', () => backend.sockets.size === 0);
    await backend.close();
  });
  return { backend, tracker, edge };
}

async function answerTo(edge: Edge, text: string): Promise<RawClient> {
  return (await new RawClient(edge.port).write(text).answered()).gone();
}

// what is no upgrade at all is in test/upgrade-abuses.test.ts
t.test('an upgrade that is refused says why', async (t) => {
  const { edge, backend } = await situation(t);
  const refused: readonly (readonly [string, string, number])[] = [
    ['of version 12', upgradeText('/ws?user=u', { 'Sec-WebSocket-Version': '12' }), 426],
    ['with a body', `${upgradeText('/ws?user=u', { 'Content-Length': '5' })}hello`, 400],
    ['at another path', upgradeText('/other?user=u'), 404],
    ['at a path below', upgradeText('/ws/x?user=u'), 404],
    ['of a whole URL', upgradeText('http://localhost/ws?user=u'), 404],
  ];
  for (const [what, text, status] of refused) {
    t.test(what, async (t) => {
      const client = await answerTo(edge, text);
      t.equal(client.status, status, client.text);
      t.match(JSON.parse(String(client.body)), { error: { code: String, message: String } });
    });
  }
  t.test('reaches no backend', async (t) => t.equal(backend.requests.length, 0));
  t.test('of version 12 learns of 13', async (t) => {
    const client = await answerTo(edge, upgradeText('/ws?user=u', { 'Sec-WebSocket-Version': '12' }));
    t.match(client.text, /sec-websocket-version: 13/);
  });
});

t.test('a user id', async (t) => {
  const { edge } = await situation(t);
  const refused: readonly (readonly [string, string])[] = [
    ['missing', '/ws'],
    ['missing beside others', '/ws?user2=x&xuser=y'],
    ['empty', '/ws?user='],
    ['of 257 bytes', `/ws?user=${'a'.repeat(257)}`],
    ['of 258 bytes in 86 characters', `/ws?user=${'%E2%82%AC'.repeat(86)}`],
    ['that is not UTF-8', '/ws?user=%FF%FE'],
    ['with a half of a percent sign', '/ws?user=a%2'],
    ['with a lone surrogate', '/ws?user=%ED%A0%80'],
  ];
  for (const [what, target] of refused) {
    t.test(what, async (t) => {
      const client = await answerTo(edge, upgradeText(target));
      t.equal(client.status, 400);
      t.match(JSON.parse(String(client.body)), { error: { code: 'bad-user' } });
      const plain = await new RawClient(edge.port)
        .write(`GET ${target} HTTP/1.1\r\nHost: x\r\n\r\n`)
        .answered();
      t.equal(plain.status, 400, 'in a plain request too');
      await plain.gone();
    });
  }
  for (const user of ['__proto__', 'constructor', 'a'.repeat(256), 'é€😀', 'a/b?c#d', ' ', '%', '\r\nx: y']) {
    t.test(`is ${JSON.stringify(user).slice(0, 30)}`, async (t) => {
      const { edge, backend } = await situation(t);
      const client = await new RawClient(edge.port)
        .write(upgradeText(`/ws?user=${encodeURIComponent(user)}`))
        .answered();
      t.equal(client.status, 101);
      t.equal(backend.requests.at(-1)?.headers['pinwheel-user'], encodeURIComponent(user));
      client.socket.destroy();
    });
  }
});

t.test('what a backend is told', async (t) => {
  const { edge, backend, tracker } = await situation(t, { path: ['/ws', '/app/*'] });
  const target = '/app//a/../b%2F?x=1//2&user=u%2B1&y=%20#';
  const client = await new RawClient(edge.port)
    .write(
      upgradeText(target.slice(0, -1), {
        Connection: 'keep-alive, Upgrade, X-Hop',
        'X-Hop': 'secret',
        'Pinwheel-User': 'root',
        pinwheel_user: 'root',
        'PINWHEEL-Edge': 'evil',
        'X-User': 'root',
        'X-User-Id': 'root',
        X_User_Id: 'root',
        'X-Forwarded-For': '203.0.113.7',
        X_Forwarded_For: '203.0.113.8',
        'Keep-Alive': 'timeout=5',
        'Proxy-Authorization': 'Basic x',
        Cookie: 'a=b',
        'Sec-WebSocket-Protocol': 'one, two',
        'X-Kept': 'yes',
      }),
    )
    .answered();
  t.equal(client.status, 101, client.text);
  const request = backend.requests[0]!;
  t.equal(request.url, target.slice(0, -1), 'path and query come unchanged');
  const { host, 'sec-websocket-key': _key, ...rest } = request.headers;
  t.equal(host, 'localhost');
  t.same(rest, {
    connection: 'Upgrade',
    upgrade: 'websocket',
    'sec-websocket-version': '13',
    'sec-websocket-protocol': 'one, two',
    cookie: 'a=b',
    'x-kept': 'yes',
    'x-forwarded-for': '203.0.113.7, 127.0.0.1',
    'pinwheel-user': 'u%2B1',
    'pinwheel-edge': 'e1',
    'pinwheel-fingerprint': tracker.current.ring.fingerprint,
  });
  client.socket.destroy();
});

t.test('an upgrade that names headers in Connection that it needs', async (t) => {
  const { edge } = await situation(t);
  for (const name of ['Sec-WebSocket-Key', 'sec-websocket-version', 'Host']) {
    const client = await answerTo(edge, upgradeText('/ws?user=u', { Connection: `Upgrade, ${name}` }));
    t.equal(client.status, 400, name);
  }
});

t.test('a client that sends before its 101', async (t) => {
  let release = (): void => {};
  let before = -1;
  let after = Buffer.alloc(0);
  const backend = await rawBackend((socket) => {
    onHead(socket, (_head, rest) => {
      before = rest.length;
      socket.on('data', (chunk: Buffer) => {
        after = Buffer.concat([after, chunk]);
      });
      release = () => {
        before += after.length;
        socket.write(
          `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
        );
      };
    });
  });
  const edge = await edgeBefore(t, backend);
  const early = [clientFrame('with the head'), clientFrame('GET /v1/users/x HTTP/1.1')];
  const client = new RawClient(edge.port).write(
    Buffer.concat([Buffer.from(upgradeText('/ws?user=u')), early[0]!]),
  );
  await until('the backend has the upgrade', () => before === 0);
  const lot = Buffer.alloc(4_000_000, clientFrame('x'.repeat(100)));
  client.write(early[1]!).write(lot);
  await until('the client is held back', () => client.socket.writableLength > 0);
  release();
  await until('all of it has come', () => after.length === early[0]!.length + early[1]!.length + lot.length);
  t.equal(before, 0, 'the backend has nothing of it before its 101');
  t.ok(after.equals(Buffer.concat([...early, lot])), 'and all of it, in order, after');
  client.socket.destroy();
  await until('no socket is left', () => backend.sockets.size === 0);
});

t.test('a client that leaves before its 101', async (t) => {
  for (const how of ['reset', 'FIN'] as const) {
    t.test(how, async (t) => {
      const backend = await rawBackend((socket) => socket.resume());
      const edge = await createEdge({
        id: 'e1',
        upstream: 'tunnel',
        tracker: new FakeTracker([foreign('a', backend.port)]),
      });
      t.teardown(async () => {
        await edge.close();
        await backend.close();
      });
      const clients = Array.from({ length: 20 }, () =>
        new RawClient(edge.port).write(upgradeText('/ws?user=u')),
      );
      await until('the backend has all upgrades', () => backend.sockets.size === 20);
      for (const client of clients) {
        if (how === 'reset') client.socket.resetAndDestroy();
        else client.socket.end();
      }
      await until('no socket is left', () => backend.sockets.size === 0 && edge.status.connections === 0);
      await untilCounted(edge, 'pinwheel_edge_upgrades_total{outcome="client-left"} 20');
    });
  }
});

t.test('nobody to go to', async (t) => {
  const upgradeStatus = async (tracker: FakeTracker): Promise<RawClient> => {
    const edge = await createEdge({ id: 'e1', upstream: 'tunnel', tracker });
    t.teardown(() => edge.close());
    return answerTo(edge, upgradeText('/ws?user=u'));
  };
  t.test('an empty ring', async (t) => {
    const client = await upgradeStatus(new FakeTracker());
    t.equal(client.status, 503);
    t.match(client.text, /retry-after: 1/);
  });
  t.test('a node that takes no WebSockets: its internal port is not for clients', async (t) => {
    const internal = await wsBackend('internal');
    t.teardown(() => internal.close());
    const { wsPort: _none, ...without } = node('n1', 1);
    const client = await upgradeStatus(new FakeTracker([{ ...without, port: internal.port }]));
    t.equal(client.status, 503);
    t.equal(internal.requests.length, 0);
  });
});

t.test('more tunnels than the edge takes', async (t) => {
  const { edge } = await situation(t, { maxConnections: 1 });
  const first = await new RawClient(edge.port).write(upgradeText('/ws?user=u')).answered();
  t.equal(first.status, 101);
  const second = await answerTo(edge, upgradeText('/ws?user=u'));
  t.equal(second.status, 503);
  t.match(JSON.parse(String(second.body)), { error: { code: 'overloaded' } });
  first.socket.destroy();
});

t.test('a node says that another owns the user', async (t) => {
  const refuseFor = (owner: string) => (socket: import('node:net').Socket) => {
    onHead(socket, () =>
      socket.end(`HTTP/1.1 421 Misdirected\r\npinwheel-owner: ${owner}\r\ncontent-length: 0\r\n\r\n`),
    );
  };
  const right = await wsBackend('right');
  t.teardown(() => right.close());
  const wrong = async (owner: string) => {
    const backend = await rawBackend(refuseFor(owner));
    t.teardown(() => backend.close());
    return backend;
  };
  t.test('and the fresh ring agrees', async (t) => {
    const backend = await wrong('elsewhere');
    const tracker = new FakeTracker([node('n1', backend.port)]);
    tracker.onRefresh = () => tracker.set([node('n2', right.port)]);
    const edge = await createEdge({ id: 'e1', upstream: 'tunnel', tracker });
    t.teardown(() => edge.close());
    const client = await new RawClient(edge.port).write(upgradeText('/ws?user=u')).answered();
    t.equal(client.status, 101);
    t.equal(tracker.refreshes, 1);
    t.equal(right.requests.at(-1)?.headers['pinwheel-fingerprint'], tracker.current.ring.fingerprint);
    client.socket.destroy();
  });
  t.test('and the fresh ring does not, but the member is known', async (t) => {
    const backend = await wrong('n2');
    const tracker = new FakeTracker([node('n1', backend.port), node('n2', right.port)]);
    const edge = await createEdge({ id: 'e1', upstream: 'tunnel', tracker });
    t.teardown(() => edge.close());
    const client = await new RawClient(edge.port)
      .write(upgradeText(`/ws?user=${userOf(tracker, 'n1')}`))
      .answered();
    t.equal(client.status, 101);
    client.socket.destroy();
  });
  t.test('whom nobody knows', async (t) => {
    const backend = await wrong('n9');
    const tracker = new FakeTracker([node('n1', backend.port)]);
    const edge = await createEdge({ id: 'e1', upstream: 'tunnel', tracker });
    t.teardown(() => edge.close());
    const client = await answerTo(edge, upgradeText('/ws?user=u'));
    t.equal(client.status, 503);
    t.match(client.text, /retry-after: 1/);
  });
  t.test('who says the same of the first', async (t) => {
    const first = await wrong('n2');
    const second = await wrong('n1');
    const tracker = new FakeTracker([node('n1', first.port), node('n2', second.port)]);
    const edge = await createEdge({ id: 'e1', upstream: 'tunnel', tracker });
    t.teardown(() => edge.close());
    const client = await answerTo(edge, upgradeText('/ws?user=u'));
    t.equal(client.status, 503, 'two tries, no more');
    t.match(await edge.metrics(), 'pinwheel_edge_retries_total{reason="not-owner"} 1');
  });
});

t.test('options that cannot be', async (t) => {
  const tracker = new FakeTracker();
  const wrong: readonly (readonly [object, RegExp])[] = [
    [{ host: '0.0.0.0' }, /host is 0\.0\.0\.0 and auth is none: .* allowAnonymous/],
    [{ host: '192.168.1.1' }, /host is 192\.168\.1\.1/],
    [{ id: '' }, /id is ""; it must be 1 to 64 of/],
    [{ port: 65_536 }, /port is 65536; it must be a whole number from 0 to 65535/],
    [{ usersPerSecond: 0 }, /usersPerSecond is 0; it must be a whole number from 1 to 1000000/],
    [{ closeTimeoutMs: Number.NaN }, /closeTimeoutMs is NaN/],
    [{ path: 'ws' }, /path is "ws"; it must begin with \//],
    [{ path: [] }, /path is ""/],
    [{ auth: 'magic' as 'none' }, /auth is "magic"; it must be one of none, jwt, webhook/],
    [{ upstream: 'direct' }, /upstream is direct; it must be one of link, tunnel/],
  ];
  for (const [options, message] of wrong) {
    await t.rejects(createEdge({ id: 'e1', upstream: 'tunnel', tracker, ...options } as never), {
      code: 'bad-option',
      message,
    });
  }
  await t.rejects(createEdge({ id: 'e1', upstream: 'tunnel' } as never), {
    code: 'bad-option',
    message: /neither tracker nor membership/,
  });
  const anywhere = await createEdge({
    id: 'e1',
    upstream: 'tunnel',
    tracker,
    host: '0.0.0.0',
    allowAnonymous: true,
  });
  await anywhere.close();
});

t.test('a port in use', async (t) => {
  const tracker = new FakeTracker();
  const first = await createEdge({ id: 'e1', upstream: 'tunnel', tracker });
  t.teardown(() => first.close());
  await t.rejects(createEdge({ id: 'e2', upstream: 'tunnel', tracker, port: first.port }), {
    code: 'listen',
    message: `cannot listen on 127.0.0.1 port ${first.port}: another process listens there already`,
  });
  await t.rejects(
    createEdge({ id: 'e2', upstream: 'tunnel', tracker, adminPort: first.port }),
    { code: 'listen' },
    'the admin port too',
  );
});
