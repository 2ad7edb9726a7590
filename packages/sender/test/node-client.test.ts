import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { PinwheelError, Receipts } from '@pinwheel/protocol';
import t, { type Test } from 'tap';
import { startHttpServer } from '../../../test/kit/http-server.js';
import { until } from '../../../test/kit/until.js';
import type { Outcome } from '../src/batch-answer.js';
import { flightsToNode, NodeClient } from '../src/node-client.js';
import { NodeClients } from '../src/node-clients.js';
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

function answer(response: ServerResponse): void {
  response.end(new Receipts(2).encode());
}

/** A node that holds what it has to answer until it is told to answer at once. */
async function holdingNode(t: Test) {
  const held: ServerResponse[] = [];
  let served = 0;
  let holds = true;
  const client = await clientOf(t, (request, response) => {
    served++;
    request.resume().on('end', () => {
      if (holds) held.push(response);
      else answer(response);
    });
  });
  const stopHolding = (): void => {
    holds = false;
  };
  return { client, held, stopHolding, served: () => served };
}

const connections = 4 * flightsToNode;

t.test('batches that are late free their connections', async (t) => {
  const { client, held, stopHolding } = await holdingNode(t);
  const posts = Array.from({ length: connections }, () => post(client, 300));
  for (const outcomes of await Promise.all(posts)) {
    t.match(outcomes, [{ kind: 'failed', error: { code: 'deadline' } }]);
  }
  stopHolding();
  t.match(await post(client, 10_000), [{ kind: 'answered' }]);
  t.ok(held.length > 0, 'though some are never answered');
});

t.test('a batch whose time is over before there is a connection for it never leaves', async (t) => {
  const { client, held, stopHolding, served } = await holdingNode(t);
  const first = Array.from({ length: connections }, () => post(client));
  await until('every connection is taken', () => held.length === connections);
  const late = Array.from({ length: 5 }, () => post(client, 50));
  for (const outcomes of await Promise.all(late)) {
    t.match(outcomes, [{ kind: 'failed', error: { code: 'deadline' } }]);
  }
  const next = post(client);
  stopHolding();
  for (const response of held) answer(response);
  for (const outcomes of await Promise.all([...first, next])) t.match(outcomes, [{ kind: 'answered' }]);
  t.equal(served(), connections + 1);
});

t.test('what is under way to a member that has left', async (t) => {
  const held: ServerResponse[] = [];
  const port = await startHttpServer(t, (_, response) => held.push(response));
  const member = { id: 'n1', address: '127.0.0.1', port, weight: 1, draining: false, kind: 'node' } as const;
  const clients = new NodeClients();
  t.teardown(() => clients.close());
  const calls: Promise<unknown>[] = [];
  const call = async (leaves: () => void): Promise<NodeClient> => {
    const client = clients.of(member);
    const { length } = held;
    calls.push(client.call('GET', '/', { deadlineMs: 60_000 }));
    await until('it is called', () => held.length > length);
    leaves();
    await t.rejects(
      client.call('GET', '/', { deadlineMs: 60_000 }),
      { code: 'unreachable', message: /closed/ },
      'nothing more is taken for it',
    );
    return client;
  };

  const first = await call(() => clients.keepOnly(new Map()));
  held[0]!.end('left');
  t.same(await calls[0], { status: 200, body: 'left' }, 'is answered');
  t.not(clients.of(member), first);

  await call(() => clients.of({ ...member, port: 1 }));
  held[1]!.end('elsewhere');
  t.same(await calls[1], { status: 200, body: 'elsewhere' }, 'as when it is elsewhere now');

  await call(() => clients.keepOnly(new Map()));
  const cut = t.rejects(calls[2]!, { code: 'unknown-outcome' }, 'is cut when all is closed');
  await clients.close();
  await cut;
});
