import { request as httpRequest } from 'node:http';
import type { Socket } from 'node:net';
import t from 'tap';
import { WebSocket } from 'ws';
import { until } from '../../../test/kit/until.js';
import { createEdge, type Edge, type EdgeOptions } from '../src/index.js';
import { closeFrame } from '../src/tunnel/close-frame.js';
import { type Backend, deadPort, onHead, rawBackend, wsBackend } from './backends.js';
import { FakeTracker, foreign } from './fake-tracker.js';
import { edgeBefore } from './foreign-situation.js';
import { accept, RawClient, serverFrames, upgradeText } from './raw-client.js';
import type { TestScope } from './test-scope.js';
import { untilCounted } from './until-counted.js';

const switching = `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`;

/** An edge in front of a backend that does the same with every connection. */
async function situation(
  t: TestScope,
  onSocket: (socket: Socket) => void,
  options: Partial<EdgeOptions> = {},
): Promise<{ readonly edge: Edge; readonly backend: Backend }> {
  const backend = await rawBackend(onSocket);
  const tracker = new FakeTracker([foreign('a', backend.port)]);
  const edge = await createEdge({ id: 'e1', upstream: 'tunnel', tracker, ...options });
  t.teardown(async () => {
    await until('no socket is left', () => edge.status.connections === 0 && backend.sockets.size === 0);
    await edge.close();
    await backend.close();
  });
  return { edge, backend };
}

function upgrade(edge: Edge): Promise<RawClient> {
  return new RawClient(edge.port).write(upgradeText('/ws?user=u')).gone();
}

function answering(text: string): (socket: Socket) => void {
  return (socket) => onHead(socket, () => socket.write(text));
}

async function counted(edge: Edge, outcome: string): Promise<number> {
  const line = new RegExp(`^pinwheel_edge_upgrades_total\\{outcome="${outcome}"\\} (\\d+)$`, 'm');
  return Number(line.exec(await edge.metrics())?.[1]);
}

t.test('a backend that answers the upgrade with something else', async (t) => {
  t.test('401 with a body', async (t) => {
    const { edge } = await situation(
      t,
      answering(
        'HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\nContent-Length: 4\r\n\r\nnope',
      ),
    );
    const client = await upgrade(edge);
    t.equal(client.status, 401);
    t.match(client.text, /www-authenticate: Basic\r\n/);
    t.match(client.text, /set-cookie: a=1\r\nset-cookie: b=2\r\n/);
    t.equal(String(client.body), 'nope');
    t.equal(await counted(edge, 'refused-by-backend'), 1);
  });
  t.test('302 with signs that are not ASCII: they come as they are', async (t) => {
    const head = 'HTTP/1.1 302 Found\r\nLocation: /é\r\nSet-Cookie: name=é\r\nContent-Length: 0\r\n\r\n';
    for (const encoding of ['utf8', 'latin1'] as const) {
      const bytes = Buffer.from(head, encoding);
      const { edge } = await situation(t, (socket) => onHead(socket, () => socket.write(bytes)));
      const client = await upgrade(edge);
      t.equal(client.status, 302);
      t.ok(client.received.includes(Buffer.from('name=é\r\n', encoding)), encoding);
    }
  });
  t.test('403 in chunks', async (t) => {
    const { edge } = await situation(
      t,
      answering(
        'HTTP/1.1 403 Forbidden\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nno, \r\n4\r\nnope\r\n0\r\n\r\n',
      ),
    );
    const client = await upgrade(edge);
    t.equal(client.status, 403);
    t.notMatch(client.text, /transfer-encoding/);
    t.equal(String(client.body), 'no, nope');
  });
  t.test('503 whose body never ends', async (t) => {
    const { edge } = await situation(t, answering('HTTP/1.1 503 Busy\r\nContent-Length: 99\r\n\r\nno'), {
      handshakeTimeoutMs: 100,
    });
    const client = await upgrade(edge);
    t.equal(client.status, 503);
  });
  t.test('302', async (t) => {
    const { edge } = await situation(
      t,
      answering('HTTP/1.1 302 Found\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n'),
    );
    const client = await upgrade(edge);
    t.equal(client.status, 302);
    t.match(client.text, /location: \/x/);
  });
  const bad: readonly (readonly [string, string])[] = [
    ['200', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'],
    ['200 with Upgrade', 'HTTP/1.1 200 OK\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\nok'],
    ['101 with a wrong accept', switching.replace(accept, 'AAAAAAAAAAAAAAAAAAAAAAAAAAA=')],
    ['101 without an accept', switching.replace(/Sec-WebSocket-Accept: .*\r\n/, '')],
    ['101 to another protocol', switching.replace('Upgrade: websocket', 'Upgrade: h2c')],
    ['101 without Upgrade', switching.replace('Upgrade: websocket\r\n', '')],
    ['no HTTP at all', 'SSH-2.0-OpenSSH_9.2\r\n'],
  ];
  for (const [what, text] of bad) {
    t.test(what, async (t) => {
      const { edge } = await situation(t, answering(text), { handshakeTimeoutMs: 2000 });
      const client = await upgrade(edge);
      t.equal(client.status, 502, client.text);
      t.notMatch(client.text, /HTTP\/1\.1 101/);
    });
  }
});

t.test('a backend that goes away before its 101', async (t) => {
  for (const how of ['reset', 'FIN'] as const) {
    t.test(`with a ${how}, twenty times`, async (t) => {
      const { edge } = await situation(t, (socket) =>
        onHead(socket, () => (how === 'reset' ? socket.resetAndDestroy() : socket.end())),
      );
      for (let i = 0; i < 20; i++) t.equal((await upgrade(edge)).status, 502);
      t.equal(await counted(edge, 'broken'), 20);
    });
  }
  t.test('in the middle of it', async (t) => {
    const { edge } = await situation(t, (socket) =>
      onHead(socket, () => socket.end('HTTP/1.1 101 Switching Protocols\r\nUpgrade: web')),
    );
    t.equal((await upgrade(edge)).status, 502);
  });
});

t.test('a backend that says nothing', async (t) => {
  const { edge } = await situation(t, (socket) => socket.resume(), { handshakeTimeoutMs: 100 });
  const client = await upgrade(edge);
  t.equal(client.status, 504);
  t.match(JSON.parse(String(client.body)), { error: { code: 'deadline', message: /100 ms/ } });
});

t.test('a backend that is dead', async (t) => {
  t.test('and stays in the ring', async (t) => {
    const tracker = new FakeTracker([foreign('a', await deadPort())]);
    const edge = await createEdge({ id: 'e1', upstream: 'tunnel', tracker });
    t.teardown(() => edge.close());
    const client = await upgrade(edge);
    t.equal(client.status, 503);
    t.match(client.text, /retry-after: 1/);
    t.equal(tracker.refreshes, 1);
    const plain = await new RawClient(edge.port)
      .write('GET /x?user=u HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')
      .gone();
    t.equal(plain.status, 503);
    t.match(plain.text, /retry-after: 1/);
    t.equal(tracker.refreshes, 2);
  });
  t.test('and is replaced in the fresh ring', async (t) => {
    const other = await wsBackend('b');
    t.teardown(() => other.close());
    const tracker = new FakeTracker([foreign('a', await deadPort())]);
    tracker.onRefresh = () => tracker.set([foreign('b', other.port)]);
    const edge = await createEdge({ id: 'e1', upstream: 'tunnel', tracker });
    t.teardown(() => edge.close());
    const client = await new RawClient(edge.port).write(upgradeText('/ws?user=u')).answered();
    t.equal(client.status, 101);
    client.socket.destroy();
  });
  t.test('while the source of members hangs', async (t) => {
    const tracker = new FakeTracker([foreign('a', await deadPort())]);
    tracker.onRefresh = () => new Promise(() => {});
    const edge = await createEdge({ id: 'e1', upstream: 'tunnel', tracker, handshakeTimeoutMs: 400 });
    t.teardown(() => edge.close());
    t.equal((await upgrade(edge)).status, 503);
  });
});

t.test('a backend that goes away in the middle of a session', async (t) => {
  const frame = Buffer.concat([Buffer.from([0x82, 100]), Buffer.alloc(100)]);
  for (const how of ['reset', 'FIN'] as const) {
    const leave = (socket: Socket): void => {
      if (how === 'reset') socket.resetAndDestroy();
      else socket.end();
    };
    t.test(`at a frame boundary, with a ${how}`, async (t) => {
      let leaveNow = (): void => {};
      const { edge } = await situation(t, (socket) =>
        onHead(socket, () => {
          socket.write(Buffer.concat([Buffer.from(switching), frame]));
          leaveNow = () => leave(socket);
        }),
      );
      const client = new RawClient(edge.port).write(upgradeText('/ws?user=u'));
      await until('the frame has come', () => client.body.length === frame.length);
      leaveNow();
      await client.gone();
      const [, close, ...more] = serverFrames(client.body);
      t.equal(close?.opcode, 8);
      t.equal(close?.payload.readUInt16BE(0), 4001);
      const { retryAfterMs } = JSON.parse(String(close?.payload.subarray(2)));
      t.ok(retryAfterMs >= 0 && retryAfterMs <= 1000);
      t.same(more, []);
      await untilCounted(edge, 'pinwheel_edge_closes_total{reason="owner-lost"} 1');
    });
    t.test(`in a frame, with a ${how}`, async (t) => {
      const half = frame.subarray(0, 50);
      let leaveNow = (): void => {};
      const { edge } = await situation(t, (socket) =>
        onHead(socket, () => {
          socket.write(Buffer.concat([Buffer.from(switching), frame, half]));
          leaveNow = () => leave(socket);
        }),
      );
      const client = new RawClient(edge.port).write(upgradeText('/ws?user=u'));
      await until('the half has come', () => client.body.length === frame.length + half.length);
      leaveNow();
      await client.gone();
      t.equal(
        client.body.length,
        frame.length + half.length,
        'the client gets no word in the middle of a frame',
      );
    });
  }
  t.test('after its close frame', async (t) => {
    const { edge } = await situation(t, (socket) =>
      onHead(socket, () => socket.end(Buffer.concat([Buffer.from(switching), closeFrame(1001, 'bye')]))),
    );
    const client = await upgrade(edge);
    t.equal(client.body.length, 7, 'the client gets that one only');
    await untilCounted(edge, 'pinwheel_edge_closes_total{reason="finished"} 1');
  });
});

t.test('a client that resets in the middle of a session', async (t) => {
  const backend = await wsBackend('a');
  const edge = await edgeBefore(t, backend);
  for (let i = 0; i < 20; i++) {
    const client = await new RawClient(edge.port).write(upgradeText('/ws?user=u')).answered();
    if (i % 2 === 0) client.socket.resetAndDestroy();
    else client.socket.end();
  }
  await until('no socket is left', () => backend.sockets.size === 0 && edge.status.connections === 0);
  await untilCounted(edge, 'pinwheel_edge_closes_total{reason="client-left"} 20');
});

t.test('a client that does not read', async (t) => {
  let sent = 0;
  const backend = await wsBackend('a', (socket) => {
    const more = (): void => {
      if (socket.readyState !== WebSocket.OPEN || sent >= 400) return;
      sent++;
      socket.send(Buffer.alloc(100_000), more);
    };
    more();
  });
  const edge = await edgeBefore(t, backend);
  const client = new WebSocket(`ws://127.0.0.1:${edge.port}/ws?user=u`);
  let received = 0;
  client.on('message', () => {
    received++;
  });
  await new Promise((resolve) => client.once('open', resolve));
  client.pause();
  let before = -1;
  await until('the backend is held back', () => {
    const still = sent === before && sent > 0;
    before = sent;
    return still;
  });
  client.resume();
  await until('all of it has come', () => received === 400);
  t.equal(sent, 400);
  client.terminate();
});

t.test('a plain request', async (t) => {
  const get = (edge: Edge, path = '/x?user=u'): Promise<RawClient> =>
    new RawClient(edge.port).write(`GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`).gone();
  t.test('whose backend resets before its answer, twenty times', async (t) => {
    const { edge } = await situation(t, (socket) => onHead(socket, () => socket.resetAndDestroy()));
    for (let i = 0; i < 20; i++) t.equal((await get(edge)).status, 502);
  });
  t.test('whose backend ends in the middle of its answer', async (t) => {
    const { edge } = await situation(t, (socket) =>
      onHead(socket, () => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf')),
    );
    const client = await get(edge);
    t.match(client.text, /half$/, 'is cut, not finished');
    await untilCounted(edge, 'pinwheel_edge_requests_total{outcome="broken"} 1');
  });
  t.test('whose backend says nothing', async (t) => {
    const { edge } = await situation(t, (socket) => socket.resume(), { requestTimeoutMs: 100 });
    t.equal((await get(edge)).status, 504);
  });
  t.test('that is given up while the answer is slow', async (t) => {
    let reached = 0;
    const { edge, backend } = await situation(t, (socket) =>
      onHead(socket, () => {
        reached++;
        socket.write('HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\nsome');
      }),
    );
    for (let i = 0; i < 10; i++) {
      const client = await new RawClient(edge.port)
        .write('GET /x?user=u HTTP/1.1\r\nHost: x\r\n\r\n')
        .answered();
      client.socket.destroy();
    }
    await until('the backend is rid of them', () => reached === 10 && backend.sockets.size === 0);
    await untilCounted(edge, 'pinwheel_edge_requests_total{outcome="client-left"} 10');
  });
  t.test('that is given up before the answer', async (t) => {
    const { edge, backend } = await situation(t, (socket) => socket.resume());
    const clients = Array.from({ length: 10 }, () =>
      new RawClient(edge.port).write('POST /x?user=u HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhalf'),
    );
    await until('the backend has them', () => backend.sockets.size === 10);
    for (const client of clients) client.socket.resetAndDestroy();
    await until('the backend is rid of them', () => backend.sockets.size === 0);
    await until('and the edge', () => edge.status.connections === 0);
  });
  t.test('with a body that two servers could read differently', async (t) => {
    const { edge, backend } = await situation(t, (socket) => socket.resume());
    const bodies = [
      ['DELETE', 'Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n', 411],
      ['POST', 'Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n', 400],
      ['POST', 'Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n', 400],
      ['POST', 'Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello', 400],
    ] as const;
    for (const [method, rest, status] of bodies) {
      const client = await new RawClient(edge.port)
        .write(`${method} /x?user=u HTTP/1.1\r\nHost: x\r\n${rest}`)
        .gone();
      t.equal(client.status, status, `${method} ${rest}`);
    }
    t.equal(backend.sockets.size, 0);
  });
});

t.test('a plain request to a good backend', async (t) => {
  const backend = await wsBackend('a');
  const edge = await edgeBefore(t, backend);
  const ask = (
    method: string,
    path: string,
    body: string,
    headers = {},
  ): Promise<{ status: number; text: string }> =>
    new Promise((resolve, reject) => {
      const request = httpRequest({ port: edge.port, method, path, headers }, (answer) => {
        let text = '';
        answer.on('data', (chunk) => {
          text += chunk;
        });
        answer.on('end', () => resolve({ status: answer.statusCode ?? 0, text }));
      });
      request.on('error', reject);
      request.end(body);
    });
  t.same(await ask('POST', '/x?user=u', 'hello'), { status: 200, text: 'hello' });
  t.same(await ask('PUT', '/x?user=u', 'a', { 'transfer-encoding': 'chunked' }), { status: 200, text: 'a' });
  t.same(await ask('DELETE', '/x?user=u', ''), { status: 200, text: '' });
  t.same(await ask('GET', '/a//b?user=u&z=1//2', ''), { status: 200, text: '' });
  t.equal(backend.requests.at(-1)?.url, '/a//b?user=u&z=1//2', 'path and query come unchanged');
  t.equal(backend.requests.at(-1)?.headers['pinwheel-user'], 'u');
  t.equal(backend.sockets.size, 1, 'one backend connection is used again and again');
  t.match(await ask('GET', '/x', ''), { status: 400, text: /bad-user/ });
});
