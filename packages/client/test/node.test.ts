import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import t, { type Test } from 'tap';
import { WebSocket as StandardWebSocket } from 'undici';
import { WebSocketServer, WebSocket as WsWebSocket } from 'ws';
import { untapped } from '../../../test/kit/untapped.js';
import { until } from '../../../test/kit/until.js';
import {
  type ClientStatus,
  type Connection,
  type ConnectOptions,
  connect,
  type WebSocketConstructor,
} from '../src/index.js';
import { startFakeService } from './kit/fake-service.js';
import { startRealService } from './kit/real-service.js';
import { type Relay, startRelay } from './kit/relay.js';
import { pathOf, type Service } from './kit/service.js';

interface Client {
  readonly connection: Connection;
  readonly data: (string | Uint8Array)[];
  readonly replies: (string | Uint8Array)[];
  readonly statuses: ClientStatus[];
}

/** A client that comes back quickly, so that a test need not wait. */
function start(t: Test, port: number, user: string, options: ConnectOptions = {}): Client {
  const client = {
    data: [] as (string | Uint8Array)[],
    replies: [] as (string | Uint8Array)[],
    statuses: [] as ClientStatus[],
  };
  const connection = connect(`ws://127.0.0.1:${port}${pathOf(user)}`, {
    webSocket: WsWebSocket,
    retry: { firstMs: 20, longestMs: 100 },
    onMessage: ({ data }) => client.data.push(data),
    onReply: (data) => client.replies.push(data),
    onStatus: (status) => client.statuses.push(status),
    ...options,
  });
  t.teardown(() => connection.close());
  return { ...client, connection };
}

async function connected({ connection }: Client): Promise<void> {
  await until('the client is connected', () => connection.status.state === 'connected');
}

const sockets = { 'the package ws': WsWebSocket, 'Node.js 22 and later': StandardWebSocket };
const services = { 'a fake edge': startFakeService, 'an edge and two nodes': startRealService };

for (const [called, startService] of Object.entries(services)) {
  for (const [socket, webSocket] of Object.entries(sockets)) {
    t.test(`at ${called}, with the WebSocket of ${socket}`, async (t) => {
      const service = await startService(t);
      const relay = await startRelay(t, service.port);
      await passesOnce(t, service, relay, webSocket);
    });
  }
}

async function passesOnce(
  t: Test,
  service: Service,
  relay: Relay,
  webSocket: WebSocketConstructor,
): Promise<void> {
  await t.test('text and bytes pass in both directions', async (t) => {
    const client = start(t, relay.port, 'alice', { webSocket, token: () => Promise.resolve('to.ken') });
    await connected(client);
    await service.send('alice', 'grüße');
    await service.send('alice', Uint8Array.of(0, 255));
    await client.connection.send('echo hello');
    await client.connection.send(Uint8Array.of(1, 2));
    t.same(service.received('alice'), ['echo hello', Uint8Array.of(1, 2)]);
    await until('everything has come', () => client.data.length === 2 && client.replies.length === 1);
    t.same(client.data, ['grüße', Uint8Array.of(0, 255)]);
    t.same(client.replies, ['hello']);
    await client.connection.close();
    t.same(client.connection.status, { state: 'closed', code: 1000, reason: 'closed by the application' });
    await until('the session has ended', async () => !(await service.hasSession('alice')));
  });

  await t.test('a message to another user gets a receipt', async (t) => {
    const [carol, dave] = ['carol', 'dave'].map((user) => start(t, relay.port, user, { webSocket }));
    await Promise.all([connected(carol!), connected(dave!)]);
    t.match(await carol!.connection.sendTo('dave', 'hi', { wait: 'client' }), {
      user: 'dave',
      status: 'delivered',
      sessions: 1,
    });
    t.match(await carol!.connection.sendTo('nobody', 'hi'), { user: 'nobody', status: 'offline' });
    await until('it has come', () => dave!.data.length === 1);
    t.same(dave!.data, ['hi']);
  });

  await t.test('over a line that is cut again and again everything passes once and in order', async (t) => {
    const client = start(t, relay.port, 'erin', { webSocket });
    await connected(client);
    const { expected, sent } = await sendWhileCut(relay, service, client);
    await Promise.all(sent);
    await until('everything has come', () => client.data.length >= expected.length);
    t.same(client.data, expected);
    t.same(service.received('erin'), expected);
    t.ok(client.statuses.filter(({ state }) => state === 'connected').length > 3, 'it was connected often');
    t.notOk(
      client.statuses.some((status) => status.state === 'connected' && !status.recovered),
      'nothing was lost',
    );
  });

  await t.test('a close code that says so ends it', async (t) => {
    const client = start(t, relay.port, 'frank', { webSocket });
    await connected(client);
    await service.close('frank', 4500, 'go away');
    await until('it is closed', () => client.connection.status.state === 'closed');
    t.same(client.connection.status, { state: 'closed', code: 4500, reason: 'go away' });
    await t.rejects(client.connection.send('x'), { code: 'closed' });
  });
}

/** Sends sixty messages each way, and breaks the line after every fifth. */
async function sendWhileCut(relay: Relay, service: Service, client: Client) {
  const { connection, statuses } = client;
  const broken = (): number => statuses.filter(({ state }) => state === 'waiting').length;
  const expected: string[] = [];
  const sent: Promise<void>[] = [];
  for (let i = 0; i < 60; i++) {
    expected.push(`message ${i}`);
    sent.push(connection.send(`message ${i}`));
    await service.send('erin', `message ${i}`);
    if (i % 5 !== 4) continue;
    await connected(client);
    const before = broken();
    relay.cut();
    // it may be connected again by the time that anybody looks
    await until('it has noticed', () => broken() > before);
  }
  return { expected, sent };
}

t.test('a token is offered as a subprotocol beside pinwheel.v1', async (t) => {
  const service = await startFakeService(t);
  const client = start(t, service.port, 'alice', { token: () => Promise.resolve('to.ken') });
  await connected(client);
  t.same(service.offered, [['pinwheel.v1', 'bearer.to.ken']]);
});

t.test('a line that falls silent is left for another', async (t) => {
  const service = await startFakeService(t);
  const relay = await startRelay(t, service.port);
  const client = start(t, relay.port, 'alice', { keepAliveMs: 300, connectTimeoutMs: 300 });
  await connected(client);
  relay.freeze();
  await service.send('alice', 'held back');
  const sent = client.connection.send('held back');
  await until('it has given up', () => client.statuses.some(({ state }) => state === 'waiting'));
  relay.thaw();
  await sent;
  await until('it has come', () => client.data.length > 0);
  t.same(client.data, ['held back']);
  t.same(service.received('alice'), ['held back']);
});

t.test('a server that refuses, and says why', async (t) => {
  const server = createServer((_request, response) => response.writeHead(401).end()).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  const client = start(t, (server.address() as AddressInfo).port, 'alice');
  await until(
    'it was refused twice',
    () => client.statuses.filter(({ state }) => state === 'waiting').length > 1,
  );
  const why = client.statuses.find((status) => status.state === 'waiting');
  t.match(why, { state: 'waiting', why: 'closed with 1006 (Unexpected server response: 401)' });
});

t.test('a server that speaks something else', async (t) => {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0, handleProtocols: () => 'pinwheel.raw' });
  await once(server, 'listening');
  t.teardown(() => server.close());
  const client = start(t, (server.address() as AddressInfo).port, 'alice');
  await until('it has noticed', () => client.statuses.some(({ state }) => state === 'waiting'));
  t.match(
    client.statuses.find((status) => status.state === 'waiting'),
    { why: /subprotocol|pinwheel\.v1/i },
  );
});

t.test('a connection is closed at the end of a block', async (t) => {
  const service = await startFakeService(t);
  const client = start(t, service.port, 'alice');
  await connected(client);
  await client.connection[Symbol.asyncDispose]();
  t.equal(client.connection.status.state, 'closed');
});

t.test('what connect is given', async (t) => {
  await t.test('must be the URL of a WebSocket, or of the page’s kind', async (t) => {
    const opened: string[] = [];
    class Recorded extends WsWebSocket {
      constructor(url: string, protocols: string[]) {
        opened.push(url);
        super(url, protocols);
      }
    }
    for (const [url, where] of [
      ['ws://127.0.0.1:1/ws', 'ws://127.0.0.1:1/ws'],
      [new URL('http://127.0.0.1:1/ws#x'), 'ws://127.0.0.1:1/ws'],
      ['https://127.0.0.1:1/ws?user=a', 'wss://127.0.0.1:1/ws?user=a'],
    ] as const) {
      await connect(url, { webSocket: Recorded }).close();
      t.same(opened, [], 'closed at once, it opens nothing');
      const connection = connect(url, { webSocket: Recorded });
      await until('it has tried', () => connection.status.state === 'waiting');
      await connection.close();
      // as often as it has tried by then: its first wait may be none
      t.same(new Set(opened), new Set([where]));
      opened.length = 0;
    }
    for (const url of ['/ws', 'ftp://127.0.0.1/ws', '']) {
      t.throws(() => connect(url, { webSocket: WsWebSocket }), { code: 'bad-option', message: /^url / }, url);
    }
  });

  await t.test('must have a token that can travel', async (t) => {
    for (const token of ['', 'a b', 'a/b=', 'ü', 'x'.repeat(8193)]) {
      t.throws(() => connect('ws://127.0.0.1:1', { webSocket: WsWebSocket, token }), {
        code: 'bad-option',
        message: /^token must be 1 to 8192 letters/,
      });
    }
  });

  await t.test('needs a WebSocket, of its own or of the platform', async (t) => {
    const before = Object.getOwnPropertyDescriptor(globalThis, 'WebSocket');
    t.teardown(() => {
      if (before === undefined) Reflect.deleteProperty(globalThis, 'WebSocket');
      else Object.defineProperty(globalThis, 'WebSocket', before);
    });
    Object.defineProperty(globalThis, 'WebSocket', { value: undefined, configurable: true, writable: true });
    t.throws(() => connect('ws://127.0.0.1:1'), {
      code: 'bad-option',
      message:
        'there is no WebSocket here: give webSocket that of the package ws, or use Node.js 22 or later',
    });
    Object.defineProperty(globalThis, 'WebSocket', { value: WsWebSocket, configurable: true });
    const service = await startFakeService(t);
    const connection = connect(`ws://127.0.0.1:${service.port}${pathOf('alice')}`);
    await connection.send('through the global one');
    await connection.close();
    t.same(service.received('alice'), ['through the global one']);
  });
});

t.test('what a callback throws goes to the console, or to the page’s handler of errors', async (t) => {
  const service = await startFakeService(t);
  const said = t.capture(console, 'error');
  const throwing = {
    onMessage: () => {
      throw new Error('no');
    },
  };
  const client = start(t, service.port, 'alice', throwing);
  await connected(client);
  await service.send('alice', 'x');
  await until('it is said', () => said().length > 0);
  t.equal(client.connection.status.state, 'connected');
});

t.test('the snippets of the README run', async (t) => {
  const service = await startFakeService(t);
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
  const snippets = [...readme.matchAll(/^```js\n(.*?)^```$/gms)].map(([, text]) => text!);
  t.equal(snippets.length, 2);
  const said = snippets.map(async (snippet) => {
    // the first is for where there is a WebSocket
    const given = `import { WebSocket as given } from 'ws';\nglobalThis.WebSocket ??= given;\n${snippet}`;
    const code = given.replace('127.0.0.1:8080', `127.0.0.1:${service.port}`);
    const { stdout } = await promisify(execFile)(
      ...untapped(process.execPath, ['--input-type=module', '-e', code]),
      {
        cwd: fileURLToPath(new URL('..', import.meta.url)),
        env: { PATH: process.env['PATH'] },
        timeout: 60_000,
      },
    );
    return stdout;
  });
  const [first, second] = await Promise.all(said);
  t.match(first, /connected.*offline.*closed/s);
  t.equal(second, '');
  t.same(new Set(service.received('alice')), new Set(['hello', 'hello from a process']));
});
