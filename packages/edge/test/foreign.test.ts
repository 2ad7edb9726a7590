import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { inProcessMembership } from '@pinwheel/membership';
import { Server as SocketIoServer } from 'socket.io';
import { io, type Socket as SocketIoClient } from 'socket.io-client';
import t from 'tap';
import { WebSocket } from 'ws';
import { until } from '../../../test/kit/until.js';
import { createEdge } from '../src/index.js';
import { wsBackend } from './backends.js';
import { foreignSituation } from './foreign-situation.js';
import { RawClient, upgradeText } from './raw-client.js';

t.test('ws servers behind an edge, entered in a membership', async (t) => {
  const [a, b] = [await wsBackend('a'), await wsBackend('b')];
  const membership = inProcessMembership();
  membership.set({ id: 'a', port: a.port, kind: 'foreign' });
  membership.set({ id: 'b', port: b.port, kind: 'foreign' });
  const edge = await createEdge({
    id: 'e1',
    upstream: 'tunnel',
    membership,
    ringSettings: { virtualNodes: 64 },
  });
  t.teardown(async () => {
    await edge.close();
    await membership.close();
    await a.close();
    await b.close();
  });
  const say = (user: string, text: string): Promise<string> =>
    new Promise((resolve, reject) => {
      const client = new WebSocket(`ws://127.0.0.1:${edge.port}/ws?user=${user}`);
      client.once('error', reject);
      client.once('open', () => client.send(text));
      client.once('message', (data) => {
        resolve(String(data));
        client.close();
      });
    });

  const owners = new Map<string, string>();
  for (let i = 0; i < 40; i++) owners.set(`user-${i}`, await say(`user-${i}`, 'who'));
  t.same(new Set(owners.values()), new Set(['a', 'b']), 'both have users');
  for (const [user, owner] of owners) {
    if ((await say(user, 'who')) !== owner) t.fail(`${user} was sent elsewhere`);
  }
  const long = 'x'.repeat(1_000_000);
  t.equal(await say('user-1', long), long, 'long messages come through');

  membership.remove('b');
  membership.set({ id: 'c', port: a.port, kind: 'foreign' });
  await until('the edge follows the ring without a reload', () => edge.status.connections === 0);
  for (const [user, owner] of owners) {
    if (owner === 'a') t.equal(await say(user, 'who'), 'a');
  }
});

t.test('several upgrades and requests on one connection', async (t) => {
  const { edge } = await foreignSituation(t);
  const client = new RawClient(edge.port).write('GET /x?user=u HTTP/1.1\r\nHost: x\r\n\r\n');
  await until('the first answer', () => client.text.includes('x-backend: a'));
  client.received = Buffer.alloc(0);
  client.write(upgradeText('/ws?user=u'));
  await client.answered();
  t.equal(client.status, 101, 'an upgrade behind a plain request');
  client.socket.destroy();
});

t.test('a socket.io server behind an edge', async (t) => {
  const http = createServer();
  const server = new SocketIoServer(http);
  server.on('connection', (socket) => {
    socket.on('say', (text: string, answer: (text: string) => void) => answer(`heard ${text}`));
    socket.emit('user', socket.handshake.headers['pinwheel-user']);
  });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  const { port } = http.address() as AddressInfo;
  const membership = inProcessMembership();
  membership.set({ id: 'io', port, kind: 'foreign' });
  const edge = await createEdge({ id: 'e1', upstream: 'tunnel', membership, path: ['/ws', '/socket.io/*'] });
  t.teardown(async () => {
    await edge.close();
    await server.close();
  });

  const connected = async (transports: readonly ('websocket' | 'polling')[]): Promise<SocketIoClient> => {
    const client = io(`http://127.0.0.1:${edge.port}`, {
      transports: [...transports],
      query: { user: 'ada lovelace' },
      reconnection: false,
      forceNew: true,
    });
    let user: string | undefined;
    client.on('user', (told: string) => {
      user = told;
    });
    await until(`a connection by ${transports.join(' and ')}`, () => user !== undefined);
    t.equal(user, 'ada%20lovelace');
    return client;
  };

  for (const transports of [['websocket'], ['polling'], ['polling', 'websocket']] as const) {
    t.test(`by ${transports.join(', then ')}`, async (t) => {
      const client = await connected(transports);
      t.equal(await client.emitWithAck('say', 'hello'), 'heard hello');
      const last = transports.at(-1);
      await until(`the transport is ${last}`, () => client.io.engine.transport.name === last);
      t.equal(await client.emitWithAck('say', 'x'.repeat(100_000)), `heard ${'x'.repeat(100_000)}`);
      client.disconnect();
    });
  }
  await until('no tunnel is left', () => edge.status.tunnelsToForeign === 0);
});
