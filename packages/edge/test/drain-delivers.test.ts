import { inProcessMembership } from '@pinwheel/membership';
import { createNode } from '@pinwheel/node';
import { createSender } from '@pinwheel/sender';
import t from 'tap';
import { WebSocket } from 'ws';
import { Ledger } from '../../../test/kit/ledger.js';
import { PlainClient } from '../../../test/kit/plain-client.js';
import { until } from '../../../test/kit/until.js';
import { createEdge, type EdgeOptions } from '../src/index.js';
import { wsBackend } from './backends.js';
import { edgeBefore } from './foreign-situation.js';
import type { TestScope } from './test-scope.js';

/** Two nodes, one edge and a sender in this process. */
async function situation(t: TestScope, options: Partial<EdgeOptions> = {}) {
  const membership = inProcessMembership();
  const tracking = { joinQuietMs: 10, joinLongestMs: 100 };
  const nodes = await Promise.all(['n1', 'n2'].map((id) => createNode({ id, membership, tracking })));
  await Promise.all(nodes.map((node) => node.ready()));
  await until('both nodes have both', () =>
    nodes.every((node) => node.tracker.current.ring.members.length === 2),
  );
  const edge = await createEdge({ id: 'e1', upstream: 'tunnel', membership, tracking, ...options });
  const sender = createSender({ membership });
  await sender.ready();
  t.teardown(async () => {
    await sender.close();
    await edge.close();
    await Promise.all(nodes.map((node) => node.close()));
    await membership.close();
  });
  const sessions = (): number => nodes.reduce((sum, node) => sum + node.sessions, 0);
  return { edge, sender, sessions };
}

t.test('an edge drains while messages flow, and whatever is called delivered has come', async (t) => {
  const { edge, sender, sessions } = await situation(t);
  const users = Array.from({ length: 50 }, (_, i) => `user-${i}`);
  const clients = new Map(
    users.map((user) => [user, new PlainClient(t, user, `ws://127.0.0.1:${edge.port}`)]),
  );
  await until('everybody is connected', () => sessions() === users.length);
  const ledger = new Ledger(sender, clients);
  let sending = true;
  const flow = (async () => {
    while (sending) {
      await Promise.race(users.map((user) => ledger.send(user)));
      await new Promise((resolve) => setImmediate(resolve));
    }
  })();
  await until('messages flow', () => [...clients.values()].every(({ received }) => received.length > 20));
  const startedAt = performance.now();
  await edge.drain();
  const tookMs = performance.now() - startedAt;
  sending = false;
  await flow;
  const last = await Promise.all(users.map((user) => ledger.send(user)));
  t.ok(
    last.every(({ status }) => status === 'offline'),
    'nobody is there any more',
  );
  for (const { closes } of clients.values()) t.same([closes.length, closes[0]?.code], [1, 4000]);
  const { sent, byStatus, ...wrong } = ledger.audit();
  t.ok(sent > 1000 && byStatus['delivered']! > 1000, JSON.stringify(byStatus));
  t.same(wrong, { lost: [], duplicated: [], denied: [], others: [], disordered: [] });
  t.ok(tookMs < 5000, `over in ${tookMs.toFixed(0)} ms, long before the end of its window`);
});

t.test('an edge drains while clients have much to read, and all of it comes', async (t) => {
  const { edge, sender } = await situation(t);
  const users = Array.from({ length: 5 }, (_, i) => `user-${i}`);
  const clients = users.map((user) => {
    const socket = new WebSocket(`ws://127.0.0.1:${edge.port}/ws?user=${user}`);
    const client = { user, socket, received: 0, delivered: 0, full: false, code: 0 };
    socket.on('message', () => client.received++);
    socket.on('close', (code) => {
      client.code = code;
    });
    return client;
  });
  await until('everybody is connected', () =>
    clients.every(({ socket }) => socket.readyState === WebSocket.OPEN),
  );
  for (const { socket } of clients) socket.pause();
  const data = 'x'.repeat(60_000);
  await Promise.all(
    clients.map(async (client) => {
      while (!client.full) {
        const { status } = await sender.send(client.user, data);
        if (status === 'delivered') client.delivered++;
        else client.full = true;
      }
    }),
  );
  const drained = edge.drain();
  for (const { socket } of clients) socket.resume();
  await drained;
  await until('everybody is closed', () => clients.every(({ code }) => code > 0));
  for (const { received, delivered, code } of clients) t.same([received, code], [delivered, 4000]);
});

t.test('an edge drains in front of a ws server that sends without a pause', async (t) => {
  const sent: number[] = [];
  const codes: number[] = [];
  const backend = await wsBackend('a', (socket) => {
    const at = sent.push(0) - 1;
    const more = (): void => {
      if (socket.readyState !== WebSocket.OPEN) return;
      for (let i = 0; i < 5; i++) socket.send(String(sent[at]!++));
      setTimeout(more, 1);
    };
    more();
    socket.on('close', (code) => codes.push(code));
  });
  const edge = await edgeBefore(t, backend);
  const received: number[] = [];
  const closed: number[] = [];
  for (let i = 0; i < 20; i++) {
    const client = new WebSocket(`ws://127.0.0.1:${edge.port}/ws?user=user-${i}`);
    received.push(0);
    client.on('message', () => received[i]!++);
    client.on('close', (code) => closed.push(code));
  }
  await until('messages flow', () => received.every((count) => count > 50));
  await edge.drain();
  await until('everybody is closed', () => closed.length === 20 && codes.length === 20);
  t.same(new Set(closed), new Set([4000]));
  t.same(new Set(codes), new Set([1001]), 'the server sees clients that go away');
  const sorted = (counts: readonly number[]) => [...counts].sort((a, b) => a - b);
  t.same(sorted(received), sorted(sent), 'and all that it has sent has come');
});
