import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { createInterface } from 'node:readline';
import t, { type Test } from 'tap';
import { type WebSocket, WebSocketServer } from 'ws';
import { startHttpServer } from '../../../test/kit/http-server.js';
import { pinwheelProgram, runPinwheel } from '../../../test/kit/pinwheel-process.js';
import { runNode } from '../../../test/kit/run-node.js';
import { until } from '../../../test/kit/until.js';

/** A server that takes a client once it has refused so many upgrades with a status. */
async function situation(t: Test, refusals: { readonly status: number; readonly count: number }) {
  const sockets: { readonly client: WebSocket; readonly socket: Socket }[] = [];
  const clients = new WebSocketServer({ noServer: true });
  const server = createServer();
  let upgrades = 0;
  server.on('upgrade', (request, socket: Socket, head) => {
    upgrades++;
    if (upgrades <= refusals.count) {
      socket.end(`HTTP/1.1 ${refusals.status} No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`);
      return;
    }
    clients.handleUpgrade(request, socket, head, (client) => sockets.push({ client, socket }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    for (const { client } of sockets) client.terminate();
    server.close();
  });
  const edge = `ws://127.0.0.1:${(server.address() as AddressInfo).port}/ws`;
  const child = runNode([pinwheelProgram, 'listen', 'alice', '--edge', edge, '--json'], { timeout: 30_000 });
  const lines: string[] = [];
  createInterface({ input: child.stdout }).on('line', (line) => lines.push(line));
  return { child, lines, sockets, connected: () => until('it is connected', () => sockets[0]) };
}

t.test('messages are printed in the order in which they come, text and bytes, as JSON', async (t) => {
  const { child, lines, connected } = await situation(t, { status: 503, count: 0 });
  const { client } = await connected();
  for (const message of [Buffer.from('first'), 'second', Buffer.from('third'), 'fourth'])
    client.send(message);
  await until('all are printed', () => lines.length === 4);
  child.kill('SIGTERM');
  await once(child, 'close');
  t.same(
    lines.map((line) => JSON.parse(line)),
    [
      { event: 'message', base64: Buffer.from('first').toString('base64') },
      { event: 'message', data: 'second' },
      { event: 'message', base64: Buffer.from('third').toString('base64') },
      { event: 'message', data: 'fourth' },
    ],
  );
});

t.test('a refusal that passes is asked about again, one that does not ends it', async (t) => {
  for (const status of [429, 503]) {
    const { child, connected } = await situation(t, { status, count: 4 });
    await connected();
    child.kill('SIGTERM');
    t.same(await once(child, 'exit'), [0, null], `behind ${status}`);
  }
  const { child } = await situation(t, { status: 403, count: 4 });
  t.same(await once(child, 'exit'), [1, null]);
});

t.test('why nobody can be reached is said, and the token of the URL to nobody', async (t) => {
  const port = await startHttpServer(t, () => {});
  const cases = [
    [
      `wss://127.0.0.1:${port}/ws?token=secret`,
      /cannot be reached: .*(wrong version number|packet length|EPROTO|SSL)/,
    ],
    ['ws://nobody.invalid/ws?token=secret', /cannot be reached: .*(ENOTFOUND|EAI_AGAIN)/],
  ] as const;
  for (const [edge, why] of cases) {
    const child = runNode([pinwheelProgram, 'listen', 'alice', '--edge', edge], { timeout: 60_000 });
    const said: string[] = [];
    createInterface({ input: child.stderr }).on('line', (line) => said.push(line));
    await until('it has said why', () => said.find((line) => line.includes('cannot-connect')));
    child.kill('SIGTERM');
    await once(child, 'close');
    t.match(said.join('\n'), why);
    t.notMatch(said.join('\n'), /secret/);
  }
});

t.test('a token goes where no list of processes and no log shows it', async (t) => {
  const server = createServer();
  let authorization: string | undefined;
  server.on('upgrade', (request, socket: Socket) => {
    authorization = request.headers.authorization;
    socket.end('HTTP/1.1 403 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => server.close());
  const edge = `ws://127.0.0.1:${(server.address() as AddressInfo).port}/ws`;
  const child = runNode([pinwheelProgram, 'listen', 'alice', '--edge', edge], {
    timeout: 60_000,
    // as a file has it
    env: { ...process.env, PINWHEEL_TOKEN: 'a.b.c\n' },
  });
  t.same(await once(child, 'exit'), [1, null]);
  t.equal(authorization, 'Bearer a.b.c');
  const wrong = await runPinwheel(['listen', 'alice', '--edge', edge], { PINWHEEL_TOKEN: 'se\ncret' });
  t.equal(wrong.code, 2);
  t.notMatch(wrong.stderr, /cret/);
});

t.test('a token of another user is named, and one of this user is not', async (t) => {
  const asked: string[] = [];
  const server = createServer();
  server.on('upgrade', (request, socket: Socket) => {
    asked.push(request.url ?? '');
    socket.end('HTTP/1.1 403 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => server.close());
  const edge = `ws://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const tokenOf = (claims: string): string => `e30.${Buffer.from(claims).toString('base64url')}.c2ln`;
  const events = async (environment: Record<string, string>, url = edge) => {
    const { stderr } = await runPinwheel(['listen', 'alice', '--edge', url], environment);
    const lines = stderr.trim().split('\n');
    return lines.map((line) => JSON.parse(line) as { event: string; subject?: string });
  };
  const ofBob = tokenOf('{"sub":"bob"}');
  for (const said of [
    await events({ PINWHEEL_TOKEN: ofBob }),
    await events({}, `${edge}/ws?token=${ofBob}`),
  ]) {
    t.match(said[0], { event: 'warning', user: 'alice', subject: 'bob' });
    t.match(said[1], { event: 'cannot-connect' }, 'it goes on all the same');
  }
  for (const token of [tokenOf('{"sub":"alice"}'), tokenOf('{}'), tokenOf('null'), 'a.b', 'a.b.c']) {
    t.same(
      (await events({ PINWHEEL_TOKEN: token })).map(({ event }) => event),
      ['cannot-connect'],
      token,
    );
  }
  await events({}, `${edge}/`);
  await events({}, `${edge}?x=1`);
  const paths = new Set(asked.map((url) => url.replace(/token=.*&/, '')));
  t.same(
    [...paths],
    ['/ws?user=alice', '/?user=alice', '/ws?x=1&user=alice'],
    'an edge takes clients at /ws',
  );
});

t.test('SIGTERM ends it, though the server does not answer its close', async (t) => {
  const { child, connected } = await situation(t, { status: 503, count: 0 });
  const { socket } = await connected();
  socket.pause();
  child.kill('SIGTERM');
  // undici would wait for it without end; the time of the child ends in a signal
  t.same(await once(child, 'exit'), [0, null]);
});
