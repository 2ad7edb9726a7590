import { createServer, type ServerResponse } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Socket } from 'node:net';
import t, { type Test } from 'tap';
import { startHttpServer } from '../../../test/kit/http-server.js';
import { until } from '../../../test/kit/until.js';
import { type WebhookOptions, webhookApplication } from '../src/index.js';
import { connect } from './kit/client.js';
import { connectEdge } from './kit/fake-edge.js';
import { startNodes } from './kit/nodes.js';

type Event = Readonly<Record<string, unknown>>;

/** A node with a webhook; `answer` decides what the webhook says to an event. */
async function startWithWebhook(
  t: Test,
  answer: (event: Event, response: ServerResponse) => void,
  options: Partial<WebhookOptions> = {},
) {
  const events: Event[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const event = JSON.parse(Buffer.concat(chunks).toString()) as Event;
      events.push(event);
      answer(event, response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook?a=b`;
  const application = webhookApplication({ url, ...options });
  const nodes = await startNodes(t, ['n1'], application);
  const stop = (): void => {
    server.closeAllConnections();
    server.close();
  };
  t.teardown(async () => {
    await application.close();
    stop();
  });
  return { node: nodes.of('n1'), nodes, events, stop };
}

const ok = (response: ServerResponse, status = 200): void => {
  response.writeHead(status).end('fine');
};

t.test('events are posted in order for each user', async (t) => {
  const { node, events } = await startWithWebhook(t, (event, response) => {
    setTimeout(() => ok(response, 204), event['data'] === '0' ? 20 : 0);
  });
  const clients = await Promise.all(['ann', 'bob'].map((user) => connect(t, node, user)));
  for (let i = 0; i < 10; i++) for (const client of clients) client.send(`${i}`);
  for (const client of clients) client.send(Buffer.from([255]));
  await until('they have been taken', () => events.length === 24);
  for (const client of clients) client.close();
  await until('every event', () => events.length === 26);
  for (const user of ['ann', 'bob']) {
    const own = events.filter((event) => event['user'] === user);
    t.same(
      own.map(({ event, data, base64 }) => data ?? base64 ?? event),
      ['connect', ...Array.from({ length: 10 }, (_, i) => `${i}`), '/w==', 'disconnect'],
    );
    t.equal(new Set(own.map(({ session }) => session)).size, 1);
  }
});

t.test('a message by a link that is processed again has the id of the first time', async (t) => {
  const events: Event[] = [];
  for (const time of ['first', 'second']) {
    const { node, nodes, events: heard } = await startWithWebhook(t, (_, response) => ok(response));
    nodes.haveLinks = true;
    const edge = await connectEdge(t, node);
    const ann = await edge.attached('ann', { key: 'key-of-a-session-1' });
    ann.say(1, time);
    await until('it is taken', () => ann.taken.at(-1) === 1);
    const direct = await connect(t, node, 'ben');
    direct.send(time);
    await until('every event', () => heard.filter(({ event }) => event === 'message').length === 2);
    events.push(...heard.filter(({ event }) => event === 'message'));
  }
  t.match(events, [{ data: 'first' }, { user: 'ben' }, { data: 'second' }, { user: 'ben' }]);
  const ids = events.map(({ id }) => id as string);
  t.match(ids[0], /^[\w-]{43}-1$/);
  t.equal(ids[2], ids[0]);
  t.not(ids[1], ids[3], 'the messages of direct clients are all new');
});

t.test('a failure is tried again, a broken connection too, and the user’s next message waits', async (t) => {
  let failures = 0;
  const { node, events } = await startWithWebhook(t, (event, response) => {
    if (event['data'] !== 'hard' || failures === 3) return ok(response);
    failures++;
    if (failures === 1) ok(response, 500);
    else if (failures === 2) ok(response, 429);
    else response.socket?.destroy();
  });
  const client = await connect(t, node, 'ann');
  client.send('hard');
  client.send('next');
  await until('the next one', () => events.some(({ data }) => data === 'next'));
  t.same(
    events.map(({ event, data }) => data ?? event),
    ['connect', 'hard', 'hard', 'hard', 'hard', 'next'],
  );
  const ids = events.map(({ id }) => id);
  t.equal(new Set(ids).size, 3, 'a repeated try has the same id');
  t.equal(new Set(ids.slice(1, 5)).size, 1);
  t.equal(client.end, undefined);
});

t.test('a refusal of a message is not tried again and closes the client', async (t) => {
  const { node, events } = await startWithWebhook(t, (event, response) =>
    ok(response, event['event'] === 'message' ? 422 : 200),
  );
  const client = await connect(t, node, 'ann');
  client.send('no');
  await until('it is closed', () => client.end);
  t.match(client.end, { code: 4004 });
  await until('the end', () => events.length === 3);
  t.same(
    events.map(({ event }) => event),
    ['connect', 'message', 'disconnect'],
  );
});

t.test('a refusal of a connection keeps the client out, an absent webhook only for now', async (t) => {
  const { node, stop } = await startWithWebhook(t, (_, response) => ok(response, 403), { tries: 1 });
  const refused = await connect(t, node, 'ann');
  await until('it is closed', () => refused.end);
  t.match(refused.end, { code: 4502 });
  stop();
  const later = await connect(t, node, 'ann');
  await until('it is closed', () => later.end);
  t.match(later.end, { code: 4004 });
});

t.test('a webhook that does not answer is given up past the deadline', async (t) => {
  const { node, events } = await startWithWebhook(
    t,
    (event, response) => {
      if (event['event'] === 'connect') ok(response);
    },
    { timeoutMs: 1000, tries: 2 },
  );
  const client = await connect(t, node, 'ann');
  client.send('x');
  await until('it is closed', () => client.end);
  t.match(client.end, { code: 4004 });
  t.equal(events.filter(({ event }) => event === 'message').length, 2);
});

t.test('an answer counts from its status: a body that does not end holds up nothing', async (t) => {
  const { node, events } = await startWithWebhook(
    t,
    (event, response) => {
      if (event['event'] !== 'message') return ok(response);
      response.writeHead(200);
      response.write('and so on');
    },
    { timeoutMs: 3000, tries: 2, connections: 1 },
  );
  const client = await connect(t, node, 'ann');
  for (const text of ['1', '2', '3']) client.send(text);
  await until('all have come', () => events.length === 4);
  client.close();
  await until('the session is over', () => events.length === 5);
  t.same(
    events.map(({ event, data }) => data ?? event),
    ['connect', '1', '2', '3', 'disconnect'],
    'each once, by the one connection that there may be',
  );
  t.not(client.end?.code, 4004);
});

t.test('a try that waits for a connection is over at its deadline', async (t) => {
  // with https and a server that says nothing no connection comes to be, as where packets are dropped
  const sockets: Socket[] = [];
  const server = createTcpServer((socket) => sockets.push(socket));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const url = `https://127.0.0.1:${port}/`;
  const application = webhookApplication({ url, timeoutMs: 200, tries: 2, connections: 2 });
  t.teardown(async () => {
    await application.close();
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const startedAt = performance.now();
  const posts = Array.from({ length: 100 }, (_, i) =>
    application.onDisconnect?.({ user: `u${i}`, session: 's', code: 1000, reason: '' }),
  );
  for (const end of await Promise.allSettled(posts))
    t.match(end, {
      reason: { code: 'unavailable', message: /failed 2 times, last: no answer within 200 ms/ },
    });
  t.ok(performance.now() - startedAt < 5000, 'two tries and the wait between them, however many wait');
});

t.test('of those that wait one whose time is over is never sent', async (t) => {
  const heard: string[] = [];
  const port = await startHttpServer(t, (request, response) => {
    request.on('data', (chunk: Buffer) => {
      heard.push((JSON.parse(chunk.toString()) as Event)['user'] as string);
      // the first answer has no end, so that the connection is taken for longer than the next one waits
      if (heard.at(-1) === 'first') response.writeHead(200).write('x');
      else response.end();
    });
  });
  const url = `http://127.0.0.1:${port}/`;
  const application = webhookApplication({ url, timeoutMs: 200, tries: 1, connections: 1 });
  t.teardown(() => application.close());
  const ends = (user: string) =>
    application.onDisconnect?.({ user, session: 's', code: 1000, reason: '' }) as Promise<void>;
  // on a busy machine a try may have no answer in its time
  const untilTaken = (user: string) => until(`${user} is taken`, () => ends(user).then(() => true));
  await untilTaken('first');
  await t.rejects(ends('second'), { message: /no answer within 200 ms/ });
  await untilTaken('third');
  t.same([...new Set(heard)], ['first', 'third']);
});

t.test('a user and a password in its URL are sent and not told', async (t) => {
  const logins: (string | undefined)[] = [];
  const server = createServer(({ headers }, response) => {
    logins.push(headers.authorization);
    response.writeHead(401).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => server.close());
  const { port } = server.address() as AddressInfo;
  const application = webhookApplication({ url: `http://ann:s%3Acret@127.0.0.1:${port}/hook` });
  t.teardown(() => application.close());
  const event = { user: 'ann', session: '1', data: 'x', reply: () => {} } as never;
  await t.rejects(Promise.resolve(application.onMessage?.(event)), {
    message: `webhook http://127.0.0.1:${port}/hook answered 401`,
  });
  t.same(logins, [`Basic ${Buffer.from('ann:s:cret').toString('base64')}`]);
});

t.test('closing ends what waits, with many events under way', async (t) => {
  const warnings: Error[] = [];
  const note = (warning: Error): unknown => warnings.push(warning);
  process.on('warning', note);
  t.teardown(() => {
    process.off('warning', note);
  });
  const application = webhookApplication({ url: 'http://127.0.0.1:9/', tries: 100 });
  const posts = Array.from({ length: 50 }, (_, i) =>
    application.onMessage?.({
      id: undefined,
      user: `u${i}`,
      session: 's',
      data: 'x',
      reply: () => true,
      send: () => Promise.reject(new Error('not asked for')),
    }),
  );
  const ends = Promise.allSettled(posts);
  await application.close();
  t.ok((await ends).every(({ status }) => status === 'rejected'));
  await new Promise(setImmediate);
  t.same(warnings, [], 'listeners do not pile up');
});

t.test('options that cannot be are refused by name', async (t) => {
  for (const options of [
    { url: 'ftp://x' },
    { url: 'nonsense' },
    { url: 'http://x', tries: 0 },
    { url: 'http://x', timeoutMs: Number.NaN },
    { url: 'http://x', connections: 1.5 },
  ]) {
    t.throws(() => webhookApplication(options), { code: 'bad-option', message: /^webhook / });
  }
});
