import type { Socket } from 'node:net';
import t from 'tap';
import { until } from '../../../test/kit/until.js';
import { type Backend, onHead, rawBackend, wsBackend } from './backends.js';
import { edgeBefore, foreignSituation } from './foreign-situation.js';
import { RawClient } from './raw-client.js';
import type { TestScope } from './test-scope.js';

const hidden = 'GET /admin HTTP/1.1\r\nhost: x\r\npinwheel-user: victim\r\n\r\n';

for (const method of ['GET', 'HEAD', 'DELETE', 'OPTIONS', 'POST', 'PUT']) {
  for (const name of ['content-length', 'Content-Length', 'transfer-encoding', 'host']) {
    t.test(`${method}: connection names ${name}`, async (t) => {
      const { backend, edge } = await foreignSituation(t);
      const length =
        name === 'transfer-encoding' ? 'Transfer-Encoding: chunked' : `Content-Length: ${hidden.length}`;
      const chunked = `${hidden.length.toString(16)}\r\n${hidden}\r\n0\r\n\r\n`;
      const body = name === 'transfer-encoding' ? chunked : hidden;
      const head = `${method} /x?user=mallory HTTP/1.1\r\nHost: x\r\nConnection: keep-alive, ${name}\r\n${length}\r\n\r\n`;
      const client = await new RawClient(edge.port).write(head + body).gone();
      t.equal(client.status, 400, client.text);
      t.match(client.text, method === 'HEAD' ? /bad-request|400/ : /connection names/);
      t.equal(backend.requests.length, 0, 'the backend has seen nothing');
    });
  }
}

/** An edge in front of a backend that does with each connection what the test says. */
async function rawSituation(t: TestScope, onSocket: (socket: Socket) => void) {
  const backend: Backend = await rawBackend(onSocket);
  const edge = await edgeBefore(t, backend);
  return { backend, edge };
}

const good = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
const get = 'GET /x?user=u HTTP/1.1\r\nHost: x\r\n\r\n';

for (const line of ['000 X', '099 X', '101 Switching Protocols', '199 X']) {
  t.test(`a backend answers ${line}`, async (t) => {
    const { edge } = await rawSituation(t, (socket) =>
      onHead(socket, () => socket.end(`HTTP/1.1 ${line}\r\nContent-Length: 0\r\n\r\n`)),
    );
    const client = await new RawClient(edge.port).write(get).answered();
    t.equal(client.status, 502, client.text);
    client.socket.destroy();
    await until('the edge has no client', () => edge.status.connections === 0);
  });
}

t.test('a backend upgrades a connection that asked for none', async (t) => {
  const { edge, backend } = await rawSituation(t, (socket) =>
    onHead(socket, () => socket.write('HTTP/1.1 101 X\r\nConnection: upgrade\r\nUpgrade: foo\r\n\r\nbar')),
  );
  const client = await new RawClient(edge.port).write(get).answered();
  t.equal(client.status, 502, client.text);
  await until('its connection is ended', () => backend.sockets.size === 0);
  client.socket.destroy();
});

t.test('the headers of an answer do not wait for its body', async (t) => {
  let finish = (): void => {};
  const { edge } = await rawSituation(t, (socket) =>
    onHead(socket, () => {
      socket.write(
        'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n',
      );
      finish = () => void socket.write('9\r\ndata: 1\n\n\r\n0\r\n\r\n');
    }),
  );
  const client = await new RawClient(edge.port).write(get).answered();
  t.match([client.status, client.text], [200, /content-type: text\/event-stream/]);
  t.equal(client.body.length, 0, 'and there is no body yet');
  finish();
  await until('the event', () => client.text.includes('data: 1'));
  client.socket.destroy();
});

for (const words of ['O\x01K', 'O\x7fK', '\xc3\xa4', '']) {
  t.test(`a backend has ${JSON.stringify(words)} for its status`, async (t) => {
    const { edge } = await rawSituation(t, (socket) =>
      onHead(socket, () => socket.end(Buffer.from(good.replace('OK', words), 'latin1'))),
    );
    const client = await new RawClient(edge.port).write(get).answered();
    t.match(client.text, /^HTTP\/1.1 (200 OK|502 Bad Gateway)\r\n/);
    client.socket.destroy();
  });
}

for (const method of ['GET', 'HEAD', 'OPTIONS', 'POST']) {
  const isSafe = method !== 'POST';
  t.test(`a connection that was kept is gone when it is used again, ${method}`, async (t) => {
    let count = 0;
    const { edge } = await rawSituation(t, (socket) => {
      count++;
      onHead(socket, () => {
        socket.write(good);
        onHead(socket, () => socket.resetAndDestroy());
      });
    });
    const ask = async (how: string): Promise<number> => {
      const length = how === 'POST' ? 'Content-Length: 0\r\n' : '';
      const client = new RawClient(edge.port);
      await client.write(get.replace('GET', how).replace('\r\n\r\n', `\r\n${length}\r\n`)).answered();
      client.socket.destroy();
      return client.status;
    };
    t.equal(await ask('GET'), 200);
    t.equal(await ask(method), isSafe ? 200 : 502, isSafe ? 'it is asked again' : 'it may have been done');
    t.equal(count, isSafe ? 2 : 1);
  });
}

t.test('an answer before the end of the body: the rest of it is awaited for a while only', async (t) => {
  const { edge } = await rawSituation(t, (socket) => onHead(socket, () => socket.write(good)));
  const head = 'POST /x?user=u HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\nx';
  const client = await new RawClient(edge.port).write(head).answered();
  t.equal(client.status, 200);
  const trickle = setInterval(() => client.write('x'), 100);
  t.teardown(() => clearInterval(trickle));
  await client.gone();
  t.equal(edge.status.connections, 0);
});

t.test('an answer before the end of a long body: what comes behind it is answered, too', async (t) => {
  let bytes = 0;
  const backend = await wsBackend('a', undefined, (request, response) => {
    response.end(request.method === 'POST' ? 'too long' : 'the next one');
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
    });
  });
  const edge = await edgeBefore(t, backend);
  const client = new RawClient(edge.port);
  const body = Buffer.alloc(8_000_000, 'x');
  client.write(`POST /x?user=u HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n`).write(body);
  client.write(get);
  await until('both answers', () => client.closed || client.text.includes('the next one'));
  t.match(client.text, /too long.*the next one/s);
  t.equal(bytes, body.length, 'and the backend has the whole body');
  client.socket.destroy();
});

t.test(
  'an answer before the end of the body: a client that goes then takes its backend connection along',
  async (t) => {
    const backend = await wsBackend('a', undefined, (_, response) => response.end('early'));
    const { port } = await edgeBefore(t, backend);
    const client = new RawClient(port);
    client.write('POST /x?user=u HTTP/1.1\r\nHost: x\r\nContent-Length: 8000000\r\n\r\n');
    client.write(Buffer.alloc(1_000_000, 'x'));
    await client.answered();
    t.equal(backend.sockets.size, 1);
    client.socket.resetAndDestroy();
    // long before the time that a request has
    await until('it is gone', () => backend.sockets.size === 0);
  },
);

t.test('a request that is refused ends its connection, behind its body', async (t) => {
  const { edge } = await rawSituation(t, (socket) => onHead(socket, () => socket.write(good)));
  const since = performance.now();
  const refused = await new RawClient(edge.port).write('GET /x HTTP/1.1\r\nHost: x\r\n\r\n').gone();
  t.match([refused.status, refused.text], [400, /connection: close/i]);
  t.ok(performance.now() - since < 4000, 'without a body at once');
  const body = Buffer.alloc(3_000_000, 'x');
  const client = new RawClient(edge.port);
  client.write(`POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n`);
  for (let at = 0; at < body.length; at += 100_000) {
    client.write(body.subarray(at, at + 100_000));
    await new Promise((resolve) => setImmediate(resolve));
  }
  await client.gone();
  t.match([client.status, client.text], [400, /connection: close/i]);
  t.notOk(client.socket.errored, 'all of it was taken');
});

t.test(
  'a backend that answers early and closes: its answer comes to a client that writes first',
  async (t) => {
    const early = 'HTTP/1.1 413 Content Too Large\r\nContent-Length: 3\r\nConnection: close\r\n\r\nno!';
    const { edge } = await rawSituation(t, (socket) => onHead(socket, () => socket.end(early)));
    const body = Buffer.alloc(3_000_000, 'x');
    const client = new RawClient(edge.port);
    client.socket.pause();
    client.write(`POST /x?user=u HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n`);
    client.write(body);
    await until('all of the body has left', () => client.socket.writableLength === 0);
    client.socket.resume();
    await until('the answer', () => client.text.endsWith('no!'));
    t.equal(client.status, 413);
    client.socket.destroy();
  },
);

t.test('requests behind one another on a connection that is gone', async (t) => {
  const requests: string[] = [];
  const { edge, backend } = await rawSituation(t, (socket) =>
    onHead(socket, (head) => requests.push(head.split(' ', 2)[1]!)),
  );
  const client = new RawClient(edge.port).write([1, 2, 3].map((i) => get.replace('/x', `/x${i}`)).join(''));
  await until('the backend has them', () => requests.length === 3);
  client.socket.resetAndDestroy();
  await until('all are given up there', () => backend.sockets.size === 0);
  t.match(await edge.metrics(), 'pinwheel_edge_requests_total{outcome="client-left"} 3');
});

t.test('a trusted proxy ends by itself the connections that it keeps, and nobody else does', async (t) => {
  const backend = await rawBackend((socket) => onHead(socket, () => socket.end(good)));
  const edge = await edgeBefore(t, backend, { trustedProxies: ['127.0.0.2'] });
  const asked = (from: string): Promise<RawClient> => new RawClient(edge.port, from).write(get).answered();
  const [proxy, other] = await Promise.all([asked('127.0.0.2'), asked('127.0.0.1')]);
  await other.gone();
  t.notOk(proxy.ended, 'while others are ended');
  proxy.received = Buffer.alloc(0);
  await proxy.write(get).answered();
  t.equal(proxy.status, 200);
  proxy.socket.destroy();
});
