import type { Socket } from 'node:net';
import t from 'tap';
import { until } from '../../../test/kit/until.js';
import { onHead, rawBackend } from './backends.js';
import { edgeBefore } from './foreign-situation.js';
import { accept, RawClient, upgradeText } from './raw-client.js';
import type { TestScope } from './test-scope.js';
import { untilCounted } from './until-counted.js';

const switching = `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`;
const megabytes = 24;

/** Clients that read nothing after the 101, and a backend that has sent each of them more than the system takes. */
async function situation(t: TestScope, stalledMs: number, count: number) {
  const accepted: Socket[] = [];
  const backend = await rawBackend((socket) => onHead(socket, () => accepted.push(socket)));
  const edge = await edgeBefore(t, backend, { stalledMs });
  const clients = Array.from({ length: count }, () => new RawClient(edge.port));
  for (const client of clients) client.write(upgradeText('/ws?user=u'));
  await until('the backend has all of them', () => accepted.length === count);
  for (const client of clients) client.socket.pause();
  const megabyte = Buffer.alloc(1_000_000);
  for (const socket of accepted) {
    socket.write(switching);
    for (let i = 0; i < megabytes; i++) socket.write(megabyte);
  }
  return { edge, backend, clients, accepted };
}

t.test('clients that do not read, and a backend that ends', async (t) => {
  const { edge, backend, accepted } = await situation(t, 300, 5);
  await until('the backend is held back', () => accepted.every((socket) => socket.writableLength > 0));
  for (const socket of accepted) socket.end();
  await until('they are cut off', () => edge.status.connections === 0);
  await until('and so is the backend', () => backend.sockets.size === 0);
  t.match(edge.status, { tunnelsToForeign: 0 });
  await untilCounted(edge, 'pinwheel_edge_closes_total{reason="too-slow"} 5');
});

t.test('a client that reads again in time', async (t) => {
  const { edge, clients, accepted } = await situation(t, 2000, 1);
  const [client, socket] = [clients[0]!, accepted[0]!];
  let taken = -1;
  await until('the backend is held back', () => {
    const still = socket.writableLength === taken && taken > 0;
    taken = socket.writableLength;
    return still;
  });
  let came = 0;
  client.socket.removeAllListeners('data');
  client.socket.on('data', (chunk: Buffer) => {
    came += chunk.length;
  });
  client.socket.resume();
  await until('all of it has come', () => came === switching.length + megabytes * 1_000_000);
  const since = performance.now();
  await until('the time is over', () => performance.now() - since > 2200);
  t.equal(edge.status.tunnelsToForeign, 1, 'is kept');
});

t.test('a backend that does not read, and a client that has gone', async (t) => {
  const accepted: Socket[] = [];
  const backend = await rawBackend((socket) => onHead(socket, () => accepted.push(socket)));
  const edge = await edgeBefore(t, backend, { stalledMs: 3000 });
  const client = new RawClient(edge.port).write(upgradeText('/ws?user=u'));
  await until('the backend has it', () => accepted.length === 1);
  accepted[0]!.write(switching);
  await client.answered();
  accepted[0]!.pause();
  const frame = Buffer.alloc(1_000_008);
  frame.set([0x82, 0xff, 0, 0, 0, 0, 0, 0x0f, 0x42, 0x32]);
  for (let i = 0; i < megabytes; i++) client.write(frame);
  let left = -1;
  let still = 0;
  await until('the client is held back', () => {
    still = client.socket.writableLength === left && left > 0 ? still + 1 : 0;
    left = client.socket.writableLength;
    return still === 10;
  });
  t.equal(edge.status.tunnelsToForeign, 1);
  client.socket.destroy();
  await until('its place is free', () => edge.status.connections === 0);
  await untilCounted(edge, 'pinwheel_edge_closes_total{reason="owner-lost"} 1');
});

t.test('a client that does not read the answers to its plain requests', async (t) => {
  const answer = `HTTP/1.1 200 OK\r\nContent-Length: 300000\r\n\r\n${'x'.repeat(300_000)}`;
  const backend = await rawBackend((socket) => {
    const answerEach = (): void =>
      onHead(socket, () => {
        socket.write(answer);
        answerEach();
      });
    answerEach();
  });
  const edge = await edgeBefore(t, backend, { requestTimeoutMs: 1500 });
  const client = new RawClient(edge.port);
  const requests = 'GET /x?user=u HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(100);
  client.socket.pause();
  client.write(requests);
  await until('it has a place', () => edge.status.connections === 1);
  await until('which is free again', () => edge.status.connections === 0);
  const left = /pinwheel_edge_requests_total\{outcome="client-left"\} [1-9]/;
  t.ok(await until('that is counted', async () => left.test(await edge.metrics())));
});
