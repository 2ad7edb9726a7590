import { createServer } from 'node:http';
import { type AddressInfo, createConnection } from 'node:net';
import t from 'tap';
import { WebSocket } from 'ws';
import { until } from '../../../test/kit/until.js';
import { connect } from './kit/client.js';
import { startNodes } from './kit/nodes.js';
import { metric, post, rawRequest } from './kit/requests.js';

const fine: Readonly<Record<string, string>> = {
  host: 'x',
  connection: 'keep-alive, Upgrade',
  upgrade: 'websocket',
  'sec-websocket-version': '13',
  'sec-websocket-key': 'AAAAAAAAAAAAAAAAAAAAAA==',
};

function head(target: string, changed: Readonly<Record<string, string | undefined>> = {}): string {
  const lines = Object.entries({ ...fine, ...changed }).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}: ${value}\r\n`],
  );
  return `GET ${target} HTTP/1.1\r\n${lines.join('')}\r\n`;
}

t.test('upgrades', async (t) => {
  const nodes = await startNodes(t, ['n1', 'n2']);
  const node = nodes.of('n1');
  const [user = '', second = ''] = nodes.usersOf('n1', 2);
  const [theirs = ''] = nodes.usersOf('n2', 1);
  const bystander = await connect(t, node, second);
  const upgrade = (bytes: string | Buffer): Promise<string> => rawRequest(node.wsPort, bytes);

  t.test('a proper one is accepted on any path', async (t) => {
    t.match(await upgrade(head(`/any/path?x=1&user=${user}`)), /^HTTP\/1.1 101 /);
    t.match(await upgrade(head('/ws', { 'pinwheel-user': user })), /^HTTP\/1.1 101 /, 'named by the edge');
    await until('they have ended', () => node.sessions === 1);
  });

  t.test('abuses are refused with what is wrong', async (t) => {
    const offers = (protocols: string) => head(`/?user=${user}`, { 'sec-websocket-protocol': protocols });
    const abuses: readonly (readonly [string, string | Buffer, RegExp])[] = [
      [
        'an old version',
        head(`/?user=${user}`, { 'sec-websocket-version': '8' }),
        /426 .*sec-websocket-version: 13.*must be 13/s,
      ],
      ['no version', head(`/?user=${user}`, { 'sec-websocket-version': undefined }), /426 .*must be 13/s],
      ['no key', head(`/?user=${user}`, { 'sec-websocket-key': undefined }), /^HTTP\/1.1 4\d\d /],
      ['a silly key', head(`/?user=${user}`, { 'sec-websocket-key': '!'.repeat(24) }), /400 .*base64/s],
      ['a short key', head(`/?user=${user}`, { 'sec-websocket-key': 'AAAA' }), /^HTTP\/1.1 4\d\d /],
      ['no connection header', head(`/?user=${user}`, { connection: 'keep-alive' }), /400 .*upgrade/s],
      ['another protocol', head(`/?user=${user}`, { upgrade: 'h2c' }), /400 .*websocket/s],
      ['a body', `${head(`/?user=${user}`, { 'content-length': '5' })}hello`, /400 .*no body/s],
      ['a chunked body', head(`/?user=${user}`, { 'transfer-encoding': 'chunked' }), /^HTTP\/1.1 4\d\d /],
      ['no user', head('/ws'), /400 .*bad-user/s],
      ['an empty user', head('/ws?user='), /400 .*bad-user/s],
      ['a user over 256 bytes', head(`/ws?user=${'x'.repeat(257)}`), /400 .*bad-user/s],
      ['a user that is not UTF-8', head('/ws?user=%ff'), /400 .*bad-user/s],
      ['an overlong encoding', head('/ws?user=%C0%80'), /400 .*bad-user/s],
      ['a lone surrogate', head('/ws?user=%ED%A0%80'), /400 .*bad-user/s],
      ['raw bytes', Buffer.from(head('/ws?user=\xff'), 'latin1'), /400 .*bad-user/s],
      ['a bad user by the edge', head(`/ws?user=${user}`, { 'pinwheel-user': '%zz' }), /400 .*bad-user/s],
      [
        'a subprotocol that edges speak',
        offers('pinwheel.v1'),
        /400 .*through an edge with --upstream link, or offer pinwheel.raw/s,
      ],
      ['that and a token', offers('bearer.secret, pinwheel.v1'), /400 .*bad-request/s],
      ['another node’s user', head(`/ws?user=${theirs}`), /^HTTP\/1.1 421.*pinwheel-owner: n2/is],
      ['no upgrade at all', 'GET / HTTP/1.1\r\nhost: x\r\n\r\n', /^HTTP\/1.1 426 /],
      ['a POST', `POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 3\r\n\r\nabc`, /^HTTP\/1.1 426 /],
    ];
    for (const [what, bytes, answer] of abuses) t.match(await upgrade(bytes), answer, what);
    t.equal(node.sessions, 1);
    t.ok((await metric(node, 'pinwheel_node_upgrades_total{outcome="refused"}')) >= 16);
  });

  t.test('a plus in the query is a space, encoded it is a plus', async (t) => {
    const spaced = Array.from({ length: 50 }, (_, i) => `a ${i}+`).find(
      (name) => nodes.ownerOf(name) === node,
    );
    const [, number] = /^a (\d+)\+$/.exec(spaced ?? '') ?? [];
    const socket = createConnection({ host: '127.0.0.1', port: node.wsPort });
    t.teardown(() => socket.destroy());
    socket.write(head(`/?user=a+${number}%2B`));
    await until('it is there', () => node.sessions === 2);
    t.match(await post(node, spaced ?? '', 'x'), { status: 200 });
  });

  t.test('of the protocols offered a token is never echoed', async (t) => {
    const offered = async (...protocols: string[]): Promise<string> => {
      const { socket } = await connect(t, node, user, { protocols });
      return socket.protocol;
    };
    t.equal(await offered('bearer.secret', 'chat'), 'chat');
    t.equal(await offered('chat', 'pinwheel.raw', 'bearer.secret'), 'pinwheel.raw');
    t.equal(
      await offered('pinwheel.v1', 'pinwheel.raw'),
      'pinwheel.raw',
      'and this port does not speak the first',
    );
    t.equal(await offered('pinwheel.v1', 'chat'), 'chat');
    const only = await upgrade(head(`/?user=${user}`, { 'sec-websocket-protocol': 'bearer.secret' }));
    t.match(only, /^HTTP\/1.1 101 /);
    t.notMatch(only, /secret/);
  });

  t.test('clients that break the protocol or vanish disturb nobody', async (t) => {
    for (let i = 0; i < 10; i++) {
      const socket = createConnection({ host: '127.0.0.1', port: node.wsPort });
      socket.on('error', () => {});
      socket.write(Buffer.concat([Buffer.from(head(`/?user=${user}`)), Buffer.from([0xff, i, 0, 1, 2])]));
      setTimeout(() => socket.resetAndDestroy(), 20 * i);
    }
    await until('they have ended', async () => (await metric(node, 'pinwheel_node_users')) <= 3);
    t.match(await post(node, second, 'fine'), { status: 200 });
    await until('the bystander', () => bystander.texts.includes('fine'));
    t.equal(bystander.end, undefined);
  });

  t.test(
    'an edge with a ring that the node does not know waits a moment; its client may go meanwhile',
    async (t) => {
      const before = await metric(node, 'pinwheel_node_upgrades_total{outcome="refused"}');
      const headers = { 'pinwheel-fingerprint': 'unknown' };
      const gone = createConnection({ host: '127.0.0.1', port: node.wsPort });
      gone.write(head(`/?user=${theirs}`, headers));
      gone.on('connect', () => setTimeout(() => gone.resetAndDestroy(), 50));
      const start = performance.now();
      const socket = new WebSocket(`ws://127.0.0.1:${node.wsPort}/?user=${theirs}`, { headers });
      const status = await new Promise((resolve) => {
        socket.on('unexpected-response', (_, response) => resolve(response.statusCode));
        socket.on('error', () => {});
      });
      t.equal(status, 421);
      t.ok(performance.now() - start >= 1000, 'it waited for the ring');
      t.equal(await metric(node, 'pinwheel_node_upgrades_total{outcome="refused"}'), before + 1);
    },
  );

  t.test('an edge whose ring the node learns in time gets its client in', async (t) => {
    const { ring } = node.tracker.current;
    const socket = new WebSocket(`ws://127.0.0.1:${node.wsPort}/?user=${theirs}`, {
      headers: { 'pinwheel-fingerprint': 'n1 alone' },
    });
    t.teardown(() => socket.terminate());
    const opened = new Promise((resolve) => socket.on('open', resolve));
    const waiting = metric(node, 'pinwheel_node_sessions');
    await waiting;
    await nodes.of('n2').drain();
    await opened;
    t.not(node.tracker.current.ring.fingerprint, ring.fingerprint);
  });
});

t.test('a client that leaves while others are asked about its user leaves nothing behind', async (t) => {
  const nodes = await startNodes(t, ['n1']);
  const node = nodes.of('n1');
  const waiting: (() => void)[] = [];
  let isSlow = true;
  const other = createServer(async (request, response) => {
    let body = '';
    for await (const part of request) body += part;
    const { users = [] } = JSON.parse(body || '{}') as { readonly users?: readonly string[] };
    const answers = users.map(() => ({ kind: 'none' }));
    const answer = (): void =>
      void response.end(JSON.stringify({ incarnation: 'x', fingerprint: 'x', foreignUsers: 0, answers }));
    if (isSlow) waiting.push(answer);
    else answer();
  });
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
  t.teardown(() => other.close());
  nodes.membership.set({ id: 'other', port: (other.address() as AddressInfo).port });
  await until('it is in the ring', () => node.tracker.current.ring.members.length === 2);
  const [last = '', ...users] = nodes.usersOf('n1', 4);
  for (const [i, user] of users.entries()) {
    const client = createConnection({ host: '127.0.0.1', port: node.wsPort });
    client.write(head(`/?user=${user}`));
    await until(`the other is asked about ${user}`, () => waiting.length === i + 1);
    client.destroy();
  }
  isSlow = false;
  for (const answer of waiting) answer();
  await connect(t, node, last);
  await until('nobody else is held', async () => (await metric(node, 'pinwheel_node_users')) === 1);
});
