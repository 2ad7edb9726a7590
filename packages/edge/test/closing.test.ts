import type { Socket } from 'node:net';
import t from 'tap';
import { until } from '../../../test/kit/until.js';
import { createEdge } from '../src/index.js';
import { closeFrame } from '../src/tunnel/close-frame.js';
import { onHead, rawBackend } from './backends.js';
import { FakeTracker, foreign } from './fake-tracker.js';
import { accept, clientFrame, RawClient, serverFrames, upgradeText } from './raw-client.js';
import type { TestScope } from './test-scope.js';
import { untilCounted } from './until-counted.js';

const switching = `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`;
const frame = Buffer.concat([Buffer.from([0x82, 100]), Buffer.alloc(100, 7)]);
/** As a client writes it, with code 4000. */
const answer = Buffer.from([0x88, 0x82, 0, 0, 0, 0, 0x0f, 0xa0]);

interface Before {
  readonly closeTimeoutMs?: number;
  readonly fromBackend?: Buffer;
  readonly fromClient?: Buffer;
}

/** A tunnel whose user has to move, with whatever each side has sent before. */
async function situation(
  t: TestScope,
  { closeTimeoutMs = 5000, fromBackend = frame, fromClient = Buffer.alloc(0) }: Before = {},
) {
  let accepted: Socket | undefined;
  let heard: Buffer = Buffer.alloc(0);
  const backend = await rawBackend((socket) =>
    onHead(socket, () => {
      socket.write(Buffer.concat([Buffer.from(switching), fromBackend]));
      socket.on('data', (chunk: Buffer) => {
        heard = Buffer.concat([heard, chunk]);
      });
      accepted = socket;
    }),
  );
  const tracker = new FakeTracker([foreign('a', backend.port)]);
  const edge = await createEdge({
    id: 'e1',
    upstream: 'tunnel',
    tracker,
    closeTimeoutMs,
    usersPerSecond: 10_000,
  });
  t.teardown(async () => {
    await until('no socket is left', () => edge.status.connections === 0 && backend.sockets.size === 0);
    await edge.close();
    await backend.close();
  });
  const client = new RawClient(edge.port).write(upgradeText('/ws?user=u'));
  await until('what the backend has sent', () => client.body.length === fromBackend.length);
  client.write(fromClient);
  await until('what the client has sent', () => heard.length === fromClient.length);
  tracker.set([foreign('b', backend.port)]);
  await until('its turn has come', () => edge.migration.moved === 1);
  return {
    client,
    edge,
    backend: accepted!,
    heard: () => heard.subarray(fromClient.length),
    /** What came to the client since. */
    body: () => client.body.subarray(fromBackend.length),
  };
}

/** The code of a masked close frame; 0 for anything else. */
function farewellCode(bytes: Buffer): number {
  if (bytes.length !== 8 || bytes[0] !== 0x88 || bytes[1] !== 0x82) return 0;
  return ((bytes[6]! ^ bytes[2]!) << 8) | (bytes[7]! ^ bytes[3]!);
}

function isMoved(bytes: Buffer): boolean {
  const [close, ...more] = serverFrames(bytes);
  return close?.opcode === 8 && close.payload.readUInt16BE(0) === 4000 && more.length === 0;
}

t.test('the backend is told first, and what it still sends comes to the client', async (t) => {
  const { client, backend, heard, body } = await situation(t);
  await until('the backend is told', () => heard().length === 8);
  t.equal(farewellCode(heard()), 1001);
  t.equal(body().length, 0, 'the client is not told yet');
  client.write(clientFrame('too late'));
  backend.write(Buffer.concat([frame, frame.subarray(0, 50)]));
  await until('the first has come', () => body().length >= 150);
  backend.end(Buffer.concat([frame.subarray(50), closeFrame(1001, ''), frame]));
  await client.gone();
  t.same(body().subarray(0, 204), Buffer.concat([frame, frame]));
  t.ok(isMoved(body().subarray(204)), 'then the close frame of the edge in place of the backend’s');
  t.equal(heard().length, 8, 'the backend has heard nothing after the close frame');
});

t.test('the close frame of the backend comes in pieces', async (t) => {
  const { client, backend, heard, body } = await situation(t);
  await until('the backend is told', () => heard().length === 8);
  backend.setNoDelay(true);
  for (const byte of closeFrame(1001, 'bye')) backend.write(Buffer.from([byte]));
  await until('the client is told', () => body().length > 0);
  client.write(answer);
  await client.gone();
  t.ok(isMoved(body()));
});

for (const how of ['FIN', 'reset'] as const) {
  t.test(`the backend ends without a close frame, with a ${how}`, async (t) => {
    const { client, edge, backend, heard, body } = await situation(t);
    await until('the backend is told', () => heard().length === 8);
    if (how === 'reset') backend.resetAndDestroy();
    else backend.end();
    await client.gone();
    t.ok(isMoved(body()));
    await untilCounted(edge, 'pinwheel_edge_closes_total{reason="moved"} 1');
  });
}

t.test('the client is in the middle of a frame', async (t) => {
  const whole = clientFrame('a message in two parts');
  const { client, backend, heard, body } = await situation(t, { fromClient: whole.subarray(0, 10) });
  t.equal(heard().length, 0, 'the backend gets no close frame inside it');
  client.write(Buffer.concat([whole.subarray(10), clientFrame('too late')]));
  await until('the backend is told', () => heard().length >= whole.length - 10 + 8);
  t.same(heard().subarray(0, whole.length - 10), whole.subarray(10));
  t.equal(farewellCode(heard().subarray(whole.length - 10)), 1001);
  backend.end(closeFrame(1001, ''));
  await client.gone();
  t.ok(isMoved(body()));
});

t.test('the client has closed by itself', async (t) => {
  const { client, backend, heard, body } = await situation(t, { fromClient: answer });
  backend.end(closeFrame(4000, ''));
  await client.gone();
  t.equal(heard().length, 0, 'the backend gets no second close frame');
  t.ok(isMoved(body()));
});

t.test('a backend that hangs', async (t) => {
  t.test('at a boundary: its client waits for a short while only', async (t) => {
    const startedAt = performance.now();
    const { client, body } = await situation(t, { closeTimeoutMs: 15_000 });
    await until('the client is told', () => body().length > 0);
    client.write(answer);
    await client.gone();
    t.ok(isMoved(body()));
    const tookMs = performance.now() - startedAt;
    t.ok(tookMs > 900 && tookMs < 10_000, `${tookMs.toFixed(0)} ms`);
  });
  t.test('in a frame: both are cut off at the deadline', async (t) => {
    const { client, edge, body } = await situation(t, {
      closeTimeoutMs: 100,
      fromBackend: frame.subarray(0, 50),
    });
    await client.gone();
    t.equal(body().length, 0, 'the client gets no word in the middle of a frame');
    await untilCounted(edge, 'pinwheel_edge_closes_total{reason="moved"} 1');
  });
  t.test('in a frame, but not for ever: the client is told at its end', async (t) => {
    const { client, backend, heard, body } = await situation(t, { fromBackend: frame.subarray(0, 50) });
    const told = performance.now();
    await until('it was silent for long enough', () => performance.now() - told > 1200);
    t.same([heard().length, body().length], [8, 0]);
    backend.write(Buffer.concat([frame.subarray(50), frame]));
    await until('the client is told', () => body().length > 52);
    t.ok(isMoved(body().subarray(52)), 'and nothing more of the backend');
    client.write(answer);
    await client.gone();
  });
  t.test('and a client that is in a frame', async (t) => {
    const { client, body } = await situation(t, { closeTimeoutMs: 100, fromClient: Buffer.from([0x81]) });
    await client.gone();
    t.ok(isMoved(body()));
  });
});

t.test('a backend that does not stop to send gets the time of a close, and no more', async (t) => {
  const { client, backend, body } = await situation(t, { closeTimeoutMs: 1500 });
  const timer = setInterval(() => backend.write(frame), 10);
  t.teardown(async () => clearInterval(timer));
  const isTold = (): boolean => serverFrames(body()).at(-1)?.opcode === 8;
  await until('the client is told', isTold);
  t.ok(body().length > 100 * frame.length, `after ${body().length} bytes`);
  client.write(answer);
  await client.gone();
  t.ok(isTold(), 'and nothing behind it');
});

t.test('a client that does not answer', async (t) => {
  const { client, edge, backend, body } = await situation(t, { closeTimeoutMs: 100 });
  client.socket.removeAllListeners('end');
  backend.end(closeFrame(1001, ''));
  await until('it is cut off', () => edge.status.connections === 0);
  await until('it was told', () => body().length > 0);
  t.ok(isMoved(body()));
  client.socket.destroy();
});

t.test(
  'a backend that has said goodbye and hangs: nothing of its client is passed on any more',
  async (t) => {
    const { client, edge, heard, body } = await situation(t, {
      closeTimeoutMs: 300,
      fromBackend: Buffer.concat([frame, closeFrame(1000, '')]),
    });
    client.write(Buffer.concat([clientFrame('and another'), clientFrame('and another')]));
    await client.gone();
    t.equal(body().length, 0, 'there is no second close frame');
    t.equal(heard().length, 0);
    await untilCounted(edge, 'pinwheel_edge_closes_total{reason="moved"} 1');
  },
);
