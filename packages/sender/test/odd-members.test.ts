import type { RequestListener } from 'node:http';
import { inProcessMembership } from '@pinwheel/membership';
import { decodeBatch, type Message, Receipts } from '@pinwheel/protocol';
import t from 'tap';
import { startHttpServer } from '../../../test/kit/http-server.js';
import { until } from '../../../test/kit/until.js';
import { startSender } from './kit/service.js';

/** What a node answers to a batch of one. */
function delivered(): Uint8Array {
  const receipts = new Receipts(1);
  receipts.set(0, 'delivered', 1);
  return receipts.encode();
}

t.test('a message that a proxy has lost is sent again, under its id and marked', async (t) => {
  const seen: Message[] = [];
  const membership = inProcessMembership();
  const port = await startHttpServer(t, async (request, response) => {
    const body = Buffer.concat(await request.toArray());
    seen.push(...decodeBatch(body));
    if (seen.length === 1) response.writeHead(502).end('<html>');
    else response.end(delivered());
  });
  membership.set({ id: 'n1', port });
  const sender = await startSender(t, { membership });
  t.match(await sender.send('bob', 'x'), { status: 'delivered', sessions: 1 });
  const [first, again] = seen;
  t.match(again, { id: first?.id, repeated: true });
  t.equal(seen.length, 2);
});

t.test('a message whose sender has chosen its id is marked from the first: it may be known', async (t) => {
  const seen: Message[] = [];
  const membership = inProcessMembership();
  const port = await startHttpServer(t, async (request, response) => {
    seen.push(...decodeBatch(Buffer.concat(await request.toArray())));
    response.end(delivered());
  });
  membership.set({ id: 'n1', port });
  const sender = await startSender(t, { membership });
  await sender.send('bob', 'x', { id: 'chosen' });
  await sender.send('bob', 'y');
  t.match(seen, [{ id: 'chosen', repeated: true }, { repeated: false }]);
});

t.test('a message that its node is slow with holds up nobody else', async (t) => {
  const membership = inProcessMembership();
  const held: (() => void)[] = [];
  const port = await startHttpServer(t, async (request, response) => {
    const [message] = decodeBatch(Buffer.concat(await request.toArray()));
    const answer = (): void => void response.end(delivered());
    if (message?.user === 'slow') held.push(answer);
    else answer();
  });
  membership.set({ id: 'n1', port });
  const sender = await startSender(t, { membership, deadlineMs: 60_000 });
  const slow = sender.send('slow', 'x');
  await until('it is under way', () => held.length === 1);
  t.match(await sender.send('quick', 'x', { deadlineMs: 5000 }), { status: 'delivered' });
  held[0]!();
  t.match(await slow, { status: 'delivered' });
});

t.test('members that answer oddly', async (t) => {
  const odd: readonly (readonly [string, RequestListener, string])[] = [
    ['not at all', () => {}, 'deadline'],
    ['with nonsense', (_, response) => response.end('PWR1nonsense'), 'unknown-outcome'],
    ['with a web page', (_, response) => response.end('<html>'), 'unknown-outcome'],
    ['by breaking off', (_, response) => response.socket?.destroy(), 'unknown-outcome'],
    [
      'with half an answer',
      (_, response) => response.writeHead(200, { 'content-length': '100' }).write('PWR1'),
      'deadline',
    ],
    ['by a proxy that lost it', (_, response) => response.writeHead(502).end('<html>'), 'unknown-outcome'],
    ['by a mesh that waited', (_, response) => response.writeHead(504).end(), 'unknown-outcome'],
    ['by somebody who broke', (_, response) => response.writeHead(500).end('{}'), 'unknown-outcome'],
    ['by somebody else', (_, response) => response.writeHead(404).end('Not Found'), 'internal'],
    ['that it is busy', (_, response) => response.writeHead(503).end(), 'unavailable'],
    [
      'with an endless refusal',
      (_, response) =>
        response.writeHead(400).end(`{"error":{"code":"bad-request","message":"${'x'.repeat(100_000)}"}}`),
      'bad-request',
    ],
  ];
  for (const [how, answer, code] of odd) {
    t.test(how, async (t) => {
      const membership = inProcessMembership();
      membership.set({ id: 'odd', port: await startHttpServer(t, answer) });
      // an answer that is odd must not be late as well, on a machine that does other work
      const deadlineMs = code === 'deadline' ? 300 : 5000;
      const sender = await startSender(t, { membership, deadlineMs, maxAttempts: 3 });
      const start = performance.now();
      const receipts = await Promise.all([
        sender.send('a', 'x'),
        sender.send('a', 'y'),
        sender.send('b', 'z'),
      ]);
      for (const { status, error } of receipts) {
        t.equal(status, 'overloaded');
        t.equal(error?.code, code);
        t.ok((error?.message.length ?? 0) < 600);
      }
      t.ok(performance.now() - start < deadlineMs + 2700);
      t.match(sender.counters(), { queuedMessages: 0, queuedBytes: 0, waitingUsers: 0 });
      t.ok(sender.counters().dispatch.retries <= 6);
      await t.rejects(sender.broadcast('x'), { name: 'PinwheelError' });
    });
  }
});
