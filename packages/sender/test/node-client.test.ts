import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { PinwheelError, Receipts } from '@pinwheel/protocol';
import t, { type Test } from 'tap';
import type { Outcome } from '../src/batch-answer.js';
import { NodeClient } from '../src/node-client.js';
import { noTraffic } from '../src/traffic.js';

type Serve = (request: IncomingMessage, response: ServerResponse) => void;

async function clientOf(t: Test, serve: Serve): Promise<NodeClient> {
  const server = createServer(serve);
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const client = new NodeClient(
    'n1',
    `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    noTraffic(),
  );
  t.teardown(async () => {
    await client.close();
    server.closeAllConnections();
    await new Promise((closed) => server.close(closed));
  });
  return client;
}

const messages = ['alice', 'bob'].map((user, i) => ({
  user,
  data: 'x',
  binary: false,
  id: `m${i}`,
  waitForClient: false,
  repeated: false,
}));

async function post(client: NodeClient, deadlineMs = 60_000): Promise<readonly Outcome[]> {
  const outcomes: Outcome[] = [];
  await client.post(messages, { deadlineMs }, (_, outcome) => outcomes.push(outcome));
  return outcomes;
}

t.test('batches that wait for their users hold up no call', async (t) => {
  let batches = 0;
  const client = await clientOf(t, (request, response) => {
    if (request.url === '/v1/messages') batches++;
    else response.end('moved');
  });
  const posts = Array.from({ length: 100 }, () => post(client));
  while (batches === 0) await new Promise((resolve) => setImmediate(resolve));
  t.same(await client.call('POST', '/v1/handoffs', { deadlineMs: 60_000 }, '{}'), {
    status: 200,
    body: 'moved',
  });
  t.ok(batches < 100, 'though there are more of them than connections');
  await client.close();
  for (const outcomes of await Promise.all(posts)) t.match(outcomes, [{ kind: 'failed' }]);
});

t.test('nor do claims that wait for an application', async (t) => {
  let claims = 0;
  const client = await clientOf(t, (request, response) => {
    if (request.url === '/v1/claims') claims++;
    else response.end('moved');
  });
  const call = (path: string) => client.call('POST', path, { deadlineMs: 60_000 }, '{}');
  const waiting = Array.from({ length: 8 }, () => t.rejects(call('/v1/claims')));
  const others = ['/v1/handoffs', '/v1/commits'].map(call);
  for (const { status } of await Promise.all(others)) t.equal(status, 200);
  while (claims < waiting.length) await new Promise((resolve) => setImmediate(resolve));
  await client.close();
  await Promise.all(waiting);
});

t.test(
  'an answer whose first part is nonsense is the end of its own batch and of nothing else',
  async (t) => {
    let isBroken = true;
    const client = await clientOf(t, (_, response) => {
      // all of it, and the end of the connection, may be in what is read at once
      if (isBroken) response.setHeader('connection', 'close');
      const nonsense = Buffer.concat([Buffer.from('PWP1'), Buffer.alloc(40)]);
      response.end(isBroken ? nonsense : new Receipts(2).encode());
    });
    t.match(await post(client), [
      {
        kind: 'failed',
        error: { code: 'unknown-outcome', message: /n1 .* answered nonsense: the first part/ },
      },
    ]);
    isBroken = false;
    t.match(await post(client), [{ kind: 'answered' }]);
  },
);

t.test('nonsense that does not end is no reason to wait', async (t) => {
  const client = await clientOf(t, (_, response) => {
    response.write(Buffer.concat([Buffer.from('PWP1'), Buffer.alloc(40)]));
  });
  const [outcome] = await post(client);
  t.ok(outcome?.kind === 'failed' && outcome.error instanceof PinwheelError);
  t.match(outcome, { error: { code: 'unknown-outcome' }, isRest: false });
});
