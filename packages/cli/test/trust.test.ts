import { chmodSync } from 'node:fs';
import { freePort } from '@pinwheel/bench/load/free-ports.js';
import t from 'tap';
import { WebSocket } from 'ws';
import { runPinwheel, startPinwheel } from '../../../test/kit/pinwheel-process.js';
import { until } from '../../../test/kit/until.js';
import { audience, issuer, TokenIssuer } from '../../edge/test/token-issuer.js';
import { temporaryFiles } from './kit/files.js';
import type { UpFacts } from './kit/up-facts.js';

const file = temporaryFiles(t);

function keyFile(name: string, secret: string): string {
  const path = file(name, JSON.stringify({ keys: [{ id: 'k1', secret: secret.repeat(32) }] }));
  chmodSync(path, 0o600);
  return path;
}

t.test(
  'processes with the keys and a client with a token; others are refused, and no secret is logged',
  async (t) => {
    const keys = keyFile('keys.json', 'a');
    const tokens = new TokenIssuer();
    const jwks = file('jwks.json', JSON.stringify(tokens.jwks));
    const [port, wsPort] = [await freePort(), await freePort()];
    const member = { id: 'n1', address: '127.0.0.1', port, wsPort };
    const service = ['--membership', `static:${file('members.json', JSON.stringify({ members: [member] }))}`];
    const ports = ['--port', String(port), '--ws-port', String(wsPort)];
    const [node, edge] = await Promise.all([
      startPinwheel(t, ['node', '--id', 'n1', ...ports, ...service, '--keys', keys]),
      startPinwheel<{ port: number }>(t, [
        ...['edge', '--id', 'e1', '--port', '0', ...service, '--keys', keys],
        ...['--auth', 'jwt', '--jwks', jwks, '--jwt-issuer', issuer, '--jwt-audience', audience],
        ...['--jwt-algorithms', 'ES256,RS256'],
      ]),
    ]);
    const token = tokens.token();
    const open = (protocols: string[]): Promise<{ client: WebSocket; status: number }> =>
      new Promise((resolve) => {
        const client = new WebSocket(`ws://127.0.0.1:${edge.facts.port}/ws?user=alice`, protocols);
        client.on('error', () => {});
        client.on('unexpected-response', (_, { statusCode = 0 }) => resolve({ client, status: statusCode }));
        client.on('open', () => resolve({ client, status: 101 }));
      });
    t.equal((await open(['pinwheel.raw'])).status, 401, 'without a token');
    t.equal(
      (await open(['pinwheel.raw', `bearer.${tokens.token({}, {}, 'EdDSA')}`])).status,
      401,
      'of EdDSA',
    );
    const { client, status } = await open(['pinwheel.raw', `bearer.${token}`]);
    t.teardown(() => client.terminate());
    t.equal(status, 101);
    const received: string[] = [];
    client.on('message', (data) => received.push(String(data)));

    const send = ['send', 'alice', 'hello'];
    const url = ['--node', `http://127.0.0.1:${port}`];
    const withKeys = ['--keys', keys];
    await until(
      'alice is attached',
      async () => (await runPinwheel([...send, ...url, ...withKeys])).code === 0,
    );
    const [byRing, byOthers, byNobody] = await Promise.all([
      runPinwheel([...send, ...service, ...withKeys]),
      runPinwheel([...send, ...url, '--keys', keyFile('others.json', 'b')]),
      runPinwheel([...send, ...url]),
    ]);
    t.equal(byRing.code, 0, byRing.stderr);
    t.equal(byOthers.code, 1);
    t.match(byOthers.stderr, /401: the proof is not one of this call/);
    t.equal(byNobody.code, 1);
    t.match(byNobody.stderr, /401: the proof is missing; is this process given --keys\?/);
    await until('she has the two that were let in', () => received.length === 2);
    const said = node.log() + edge.log() + byOthers.stderr;
    t.notMatch(said, new RegExp(`${'a'.repeat(32)}|${'b'.repeat(32)}|${token.split('.')[2]}`));
  },
);

t.test('a whole ring with keys', async (t) => {
  const keys = keyFile('up-keys.json', 'u');
  const up = await startPinwheel<UpFacts>(t, [
    ...['up', '--nodes', '2', '--port', '0', '--admin-port', '0', '--node-port', '0', '--keys', keys],
  ]);
  const { membership, nodes, edges } = up.facts;
  const send = ['send', 'alice', 'hello'];
  const offline = 4;
  const [byRing, byNode, byNobody, moves] = await Promise.all([
    runPinwheel([...send, '--membership', membership, '--keys', keys]),
    runPinwheel([...send, '--node', nodes[0]!.url, '--keys', keys]),
    runPinwheel([...send, '--node', nodes[0]!.url]),
    runPinwheel([
      ...['migrate', 'status', '--membership', membership, '--edge', edges[0]!.admin, '--keys', keys],
    ]),
  ]);
  t.same([byRing.code, byNode.code, byNobody.code, moves.code], [offline, offline, 1, 0]);
  t.equal((await fetch(`${edges[0]!.admin}/v1/ring`)).status, 401);
});

t.test('what would let in whoever comes ends with 2', async (t) => {
  const open = file('open.json', JSON.stringify({ keys: [{ id: 'k1', secret: 'c'.repeat(32) }] }));
  chmodSync(open, 0o644);
  const members = ['--membership', `static:${file('nobody.json', '{"members":[]}')}`];
  const node = ['node', '--id', 'n1', ...members];
  const edge = ['edge', '--id', 'e1', '--port', '0', ...members];
  const cases: readonly (readonly [readonly string[], RegExp])[] = [
    [
      [...node, '--bind-host', '0.0.0.0'],
      /--bind-host is 0.0.0.0 and there are no keys.*or set --allow-insecure/,
    ],
    [[...node, '--keys', open], /has mode 644; only its owner may read it/],
    [[...edge, '--auth', 'jwt'], /--auth jwt needs --jwks, --jwt-issuer and --jwt-audience\n/],
    [[...edge, '--host', '0.0.0.0'], /anybody who reaches it.*or set --allow-anonymous/],
    [[...edge, '--auth', 'webhook'], /--auth-url is missing/],
    [[...edge, '--auth', 'jwt', '--jwks', 'x', '--jwt-issuer', 'i'], /--auth jwt needs --jwt-audience\n/],
    [[...edge, '--auth', 'jwt', '--jwks', 'x'], /--auth jwt needs --jwt-issuer and --jwt-audience\n/],
  ];
  for (const [words, says] of cases) {
    const { code, stderr } = await runPinwheel(words);
    t.equal(code, 2, words.join(' '));
    t.match(stderr, says);
  }
});
