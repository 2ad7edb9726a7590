import type { Socket } from 'node:net';
import t from 'tap';
import { BackendFaults } from '../src/backend/backend-faults.js';
import { createEdge } from '../src/index.js';
import { deadPort, onHead, rawBackend } from './backends.js';
import { FakeTracker, foreign, node } from './fake-tracker.js';
import { RawClient, upgradeText } from './raw-client.js';

const id = 'web-10.1.2.3';
const plain = 'GET /x?user=u HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n';
const upgrade = upgradeText('/ws?user=u');
const answering = (text: string) => (socket: Socket) => void onHead(socket, () => socket.write(text));

/** What a backend does, what the client is told, and what the log says of it. */
const rows: readonly {
  readonly what: string;
  readonly does: 'nobody-listens' | ((socket: Socket) => void);
  readonly asks: string;
  readonly status: number;
  readonly told: string;
  readonly log: RegExp;
}[] = [
  {
    what: 'an upgrade to nobody',
    does: 'nobody-listens',
    asks: upgrade,
    status: 503,
    told: 'nobody listens where the user belongs',
    log: /ECONNREFUSED/,
  },
  {
    what: 'a plain request to nobody',
    does: 'nobody-listens',
    asks: plain,
    status: 503,
    told: 'nobody listens where the user belongs',
    log: /ECONNREFUSED/,
  },
  {
    what: 'an upgrade that is reset',
    does: (socket) => onHead(socket, () => socket.resetAndDestroy()),
    asks: upgrade,
    status: 502,
    told: 'the connection to the backend ended before its answer',
    log: /ECONNRESET/,
  },
  {
    what: 'a plain request that is reset',
    does: (socket) => onHead(socket, () => socket.resetAndDestroy()),
    asks: plain,
    status: 502,
    told: 'the backend closed the connection before it answered',
    log: /ECONNRESET/,
  },
  {
    what: 'an upgrade without an answer',
    does: (socket) => socket.resume(),
    asks: upgrade,
    status: 504,
    told: 'no backend answered the upgrade within 300 ms',
    log: /within 300 ms/,
  },
  {
    what: 'a plain request without an answer',
    does: (socket) => socket.resume(),
    asks: plain,
    status: 504,
    told: 'the backend did not answer in time',
    log: /nothing came from the backend for 300 ms/,
  },
  {
    what: 'an upgrade with a wrong answer',
    does: answering('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'),
    asks: upgrade,
    status: 502,
    told: 'the backend is no WebSocket server',
    log: /it answered 200/,
  },
];

t.test('a client is told neither who nor where its backend is; the log says it', async (t) => {
  for (const { what, does, asks, status, told, log } of rows) {
    t.test(what, async (t) => {
      const backend = does === 'nobody-listens' ? undefined : await rawBackend(does);
      const port = backend?.port ?? (await deadPort());
      // who answers has all the time that a busy machine needs
      const timeoutMs = status === 504 ? 300 : 20_000;
      const lines: string[] = [];
      const keep = (fields: object, text: string): void =>
        void lines.push(JSON.stringify({ ...fields, text }));
      const edge = await createEdge({
        id: 'e1',
        upstream: 'tunnel',
        tracker: new FakeTracker([foreign(id, port)]),
        handshakeTimeoutMs: timeoutMs,
        requestTimeoutMs: timeoutMs,
        log: { info: () => {}, warn: keep, error: keep },
      });
      t.teardown(async () => {
        await edge.close();
        await backend?.close();
      });
      const client = await new RawClient(edge.port).write(asks).gone();
      t.equal(client.status, status);
      t.equal(JSON.parse(String(client.body)).error.message, told);
      for (const hidden of [id, '127.0.0.1', String(port)]) t.notOk(client.text.includes(hidden), hidden);
      t.equal(lines.length, 1);
      t.match(JSON.parse(lines[0]!), { member: id, address: '127.0.0.1', port });
      t.match(lines[0], log);
    });
  }
  t.test('a node that takes no connections', async (t) => {
    const { wsPort: _none, ...without } = node(id, 1);
    const lines: object[] = [];
    const keep = (fields: object): void => void lines.push(fields);
    const edge = await createEdge({
      id: 'e1',
      upstream: 'tunnel',
      tracker: new FakeTracker([without]),
      log: { info: () => {}, warn: keep, error: keep },
    });
    t.teardown(() => edge.close());
    const client = await new RawClient(edge.port).write(upgrade).gone();
    t.equal(client.status, 503);
    t.notMatch(client.text, id);
    t.match(lines, [{ member: id }]);
  });
});

t.test('a client that gives up is no fault of the backend', async (t) => {
  let has = (): void => {};
  const reached = new Promise<void>((resolve) => {
    has = resolve;
  });
  let left = (): void => {};
  const gone = new Promise<void>((resolve) => {
    left = resolve;
  });
  const backend = await rawBackend((socket) => {
    onHead(socket, () => has());
    socket.on('close', () => left());
  });
  const lines: string[] = [];
  const keep = (_fields: object, text: string): void => void lines.push(text);
  const edge = await createEdge({
    id: 'e1',
    upstream: 'tunnel',
    tracker: new FakeTracker([foreign(id, backend.port)]),
    log: { info: () => {}, warn: keep, error: keep },
  });
  t.teardown(async () => {
    await edge.close();
    await backend.close();
  });
  const client = new RawClient(edge.port).write(plain);
  await reached;
  client.socket.resetAndDestroy();
  await gone;
  t.same(lines, []);
});

t.test('a member is in the log once a second, whoever else is', (t) => {
  let now = 0;
  const lines: string[] = [];
  const warn = (fields: object): void => void lines.push((fields as { member: string }).member);
  const faults = new BackendFaults({ info: () => {}, warn, error: () => {} }, () => now);
  const says = (name: string): void => faults.note(foreign(name, 1), 'is away');
  for (let i = 0; i < 100; i++) {
    says('a');
    says('b');
  }
  t.same(lines, ['a', 'b']);
  now = 999;
  says('a');
  t.equal(lines.length, 2);
  now = 1000;
  says('a');
  says('a');
  t.same(lines, ['a', 'b', 'a']);
  t.end();
});
