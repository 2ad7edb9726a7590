import { consulMembership } from '@pinwheel/membership';
import t, { type Test } from 'tap';
import { WebSocket } from 'ws';
import { startConsul } from '../../../test/kit/consul.js';
import { startPinwheel } from '../../../test/kit/pinwheel-process.js';
import { until } from '../../../test/kit/until.js';
import { createEdge, type Edge } from '../src/index.js';
import { onHead, rawBackend } from './backends.js';
import { FakeTracker, node } from './fake-tracker.js';
import { accept, RawClient, serverFrames, upgradeText } from './raw-client.js';
import { untilCounted } from './until-counted.js';

async function hasMembers(edge: Edge, count: number): Promise<boolean> {
  return new RegExp(`^pinwheel_ring_members ${count}$`, 'm').test(await edge.metrics());
}

t.test('a node process hangs', async (t) => {
  const consul = await startConsul(t);
  const start = (id: string) =>
    startPinwheel(t, ['node', '--id', id, '--membership', consul.url('chat'), '--log-level', 'warn']);
  const [n1] = await Promise.all([start('n1'), start('n2')]);
  const membership = consulMembership({ host: consul.host, port: consul.port, service: 'chat' });
  const edge = await createEdge({ id: 'e1', upstream: 'tunnel', membership, closeTimeoutMs: 300 });
  t.teardown(async () => {
    await edge.close();
    await membership.close();
  });
  await until('both are in the ring', () => hasMembers(edge, 2));
  const codes: number[] = [];
  const clients = Array.from({ length: 40 }, (_, i) => {
    const client = new WebSocket(`ws://127.0.0.1:${edge.port}/ws?user=user-${i}`);
    client.on('close', (code) => codes.push(code));
    return client;
  });
  await until('everybody is connected', () => edge.status.tunnelsToNodes === 40);
  n1.signal('SIGSTOP');
  await until('the ring has lost it', () => hasMembers(edge, 1), { deadlineMs: 30_000 });
  const before = clients.filter(({ readyState }) => readyState === WebSocket.OPEN).length;
  t.equal(before, 40, 'nobody is closed in the grace');
  await until('its clients are told', () => codes.length > 0 && edge.status.tunnelsToNodes < 40);
  await until('all of them', () => codes.length === 40 - edge.status.tunnelsToNodes);
  t.ok(codes.length > 5 && codes.length < 35, `${codes.length} of 40`);
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
