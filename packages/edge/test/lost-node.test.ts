import { consulMembership, createRingTracker } from '@pinwheel/membership';
import t, { type Test } from 'tap';
import { WebSocket } from 'ws';
import { startConsul } from '../../../test/kit/consul.js';
import { startPinwheel } from '../../../test/kit/pinwheel-process.js';
import { until } from '../../../test/kit/until.js';
import { createEdge } from '../src/index.js';
import { onHead, rawBackend } from './backends.js';
import { FakeTracker, node } from './fake-tracker.js';
import { accept, RawClient, serverFrames, upgradeText } from './raw-client.js';
import { untilCounted } from './until-counted.js';

const graceMs = 300;

t.test('a node process hangs', async (t) => {
  const consul = await startConsul(t);
  const start = (id: string) =>
    startPinwheel(t, ['node', '--id', id, '--membership', consul.url('chat'), '--log-level', 'warn']);
  const [n1] = await Promise.all([start('n1'), start('n2')]);
  const membership = consulMembership({ host: consul.host, port: consul.port, service: 'chat' });
  const tracker = createRingTracker({ membership, settings: {} });
  await tracker.start();
  const edge = await createEdge({ id: 'e1', upstream: 'tunnel', tracker, closeTimeoutMs: graceMs });
  t.teardown(async () => {
    await edge.close();
    await tracker.close();
    await membership.close();
  });
  await until('both are in the ring', () => tracker.current.ring.members.length === 2);
  const codes: number[] = [];
  let firstAt = Number.POSITIVE_INFINITY;
  const clients = Array.from({ length: 40 }, (_, i) => {
    const client = new WebSocket(`ws://127.0.0.1:${edge.port}/ws?user=user-${i}`);
    client.on('close', (code) => {
      firstAt = Math.min(firstAt, performance.now());
      codes.push(code);
    });
    return client;
  });
  await until('everybody is connected', () => edge.status.tunnelsToNodes === 40);
  const { ring } = tracker.current;
  const lost = clients.filter((_, i) => ring.owner(`user-${i}`) === 'n1').length;
  t.ok(lost > 5 && lost < 35, `${lost} of 40 are with n1`);
  let lostAt = Number.POSITIVE_INFINITY;
  tracker.subscribe(({ members }) => {
    if (!members.has('n1')) lostAt = Math.min(lostAt, performance.now());
  });
  n1.signal('SIGSTOP');
  await until('all of its clients are told', () => codes.length === lost, { deadlineMs: 30_000 });
  t.ok(firstAt - lostAt > graceMs - 10, `nobody is closed in the grace: ${firstAt - lostAt} ms`);
  await until('and only they', () => edge.status.tunnelsToNodes === 40 - lost);
  t.same(new Set(codes), new Set([4001]));
  await untilCounted(edge, `pinwheel_edge_closes_total{reason="owner-lost"} ${codes.length}`);
  for (const client of clients) client.terminate();
  n1.signal('SIGCONT');
});

t.test('a node that hangs, and is gone from the members', async (t) => {
  const switching = `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`;
  const frame = Buffer.concat([Buffer.from([0x82, 100]), Buffer.alloc(100, 7)]);
  const hung = async (t: Test, sent: Buffer) => {
    const backend = await rawBackend((socket) =>
      onHead(socket, () => {
        socket.write(Buffer.concat([Buffer.from(switching), sent]));
        socket.pause();
      }),
    );
    const tracker = new FakeTracker([node('n1', backend.port)]);
    const edge = await createEdge({ id: 'e1', upstream: 'tunnel', tracker, closeTimeoutMs: 200 });
    t.teardown(async () => {
      await edge.close();
      await backend.close();
    });
    const client = new RawClient(edge.port).write(upgradeText('/ws?user=u'));
    await until('what it has sent', () => client.body.length === sent.length);
    tracker.set([node('n2', 1)]);
    await client.gone();
    await until('the edge is rid of it', () => edge.status.tunnelsToNodes === 0);
    await untilCounted(edge, 'pinwheel_edge_closes_total{reason="owner-lost"} 1');
    return client.body.subarray(sent.length);
  };
  t.test('at a frame boundary: the client is told', async (t) => {
    const [close, ...more] = serverFrames(await hung(t, frame));
    t.same([close?.opcode, close?.payload.readUInt16BE(0), more], [8, 4001, []]);
    const { retryAfterMs } = JSON.parse(String(close?.payload.subarray(2)));
    t.ok(retryAfterMs >= 0 && retryAfterMs <= 1000);
  });
  t.test('in a frame: the client is cut off', async (t) => {
    t.equal((await hung(t, frame.subarray(0, 50))).length, 0);
  });
});
