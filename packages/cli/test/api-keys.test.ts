import { chmodSync, renameSync } from 'node:fs';
import { freePort } from '@pinwheel/bench/load/free-ports.js';
import t from 'tap';
import { runPinwheel, startPinwheel } from '../../../test/kit/pinwheel-process.js';
import { until } from '../../../test/kit/until.js';
import { temporaryFiles } from './kit/files.js';

const file = temporaryFiles(t);

interface Made {
  readonly key: string;
  readonly entry: { readonly id: string };
}

/** Replaced as a whole, as an editor does it. */
function secretFile(name: string, text: string): string {
  const path = file(`${name}.new`, text);
  chmodSync(path, 0o600);
  renameSync(path, path.slice(0, -4));
  return path.slice(0, -4);
}

async function made(id: string, scopes: string): Promise<Made> {
  const { code, stdout, stderr } = await runPinwheel([
    ...['api-key', 'new', '--id', id, '--scopes', scopes, '--json'],
  ]);
  t.equal(code, 0, stderr);
  return JSON.parse(stdout) as Made;
}

t.test('a program sends and an operator drains, each with its API key', async (t) => {
  const [app, ops] = await Promise.all([made('app', 'send,presence'), made('ops', 'admin')]);
  t.match(app.entry, { id: 'app', scopes: ['send', 'presence'], hash: /^[0-9a-f]{64}$/ });
  const fileOf = (...all: Made[]): string =>
    secretFile('api-keys.json', JSON.stringify({ keys: all.map(({ entry }) => entry) }));
  const secret = 's'.repeat(32);
  const keys = secretFile('keys.json', JSON.stringify({ keys: [{ id: 'k1', secret }] }));
  const [port, wsPort] = [await freePort(), await freePort()];
  const member = { id: 'n1', address: '127.0.0.1', port, wsPort };
  const service = ['--membership', `static:${file('members.json', JSON.stringify({ members: [member] }))}`];
  const both = ['--keys', keys, '--api-keys', fileOf(app, ops), '--admin-port', '0'];
  const [node, edge] = await Promise.all([
    startPinwheel(t, [
      ...['node', '--id', 'n1', '--port', String(port), '--ws-port', String(wsPort)],
      ...[...service, ...both],
    ]),
    startPinwheel<{ adminPort: number }>(t, ['edge', '--id', 'e1', '--port', '0', ...service, ...both]),
  ]);
  const asApp = { PINWHEEL_API_KEY: app.key };
  const asOps = { PINWHEEL_API_KEY: ops.key };
  const url = ['--node', `http://127.0.0.1:${port}`];
  const ofEdge = ['--edge', `http://127.0.0.1:${edge.facts.adminPort}`];
  const send = ['send', 'alice', 'hello'];
  const offline = 4;
  const rows: readonly (readonly [string, string[], Record<string, string>, number, RegExp])[] = [
    ['through a node', [...send, ...url], asApp, offline, /^$/],
    ['by the ring', [...send, ...service], asApp, offline, /^$/],
    ['as an option', [...send, ...url, '--api-key', app.key], {}, offline, /^$/],
    ['without the scope', [...send, ...url], asOps, 1, /403: the API key ops lacks the scope send/],
    ['with a key cut short', [...send, ...url], { PINWHEEL_API_KEY: app.key.slice(0, -1) }, 1, /401/],
    ['moves, without the scope', ['migrate', 'status', ...service, ...ofEdge], asApp, 1, /^$/],
    ['moves of nodes and edges', ['migrate', 'status', ...service, ...ofEdge], asOps, 0, /^$/],
    ['the same by proofs', ['migrate', 'status', ...service, ...ofEdge, '--keys', keys], {}, 0, /^$/],
    ['the same by nobody', ['migrate', 'status', ...service, ...ofEdge], {}, 1, /^$/],
    ['a ring is accepted', ['ring', 'accept', ...service, ...ofEdge], asOps, 0, /^$/],
    ['the same by proofs', ['ring', 'accept', ...service, ...ofEdge, '--keys', keys], {}, 0, /^$/],
    ['the same without the scope', ['ring', 'accept', ...service, ...ofEdge], asApp, 1, /^$/],
    ['both kinds', [...send, ...url], { ...asApp, PINWHEEL_KEYS: keys }, 2, /are both given/],
    ['an option beside the environment', [...send, ...url, '--keys', keys], asOps, offline, /^$/],
    ['the other way about', [...send, ...url, '--api-key', app.key], { PINWHEEL_KEYS: keys }, offline, /^$/],
    [
      'two options',
      [...send, ...url, '--keys', keys, '--api-key', app.key],
      {},
      2,
      /keys and api-key are both given/,
    ],
    ['a key of two words', [...send, ...url], { PINWHEEL_API_KEY: 'a b' }, 2, /must be pwk_/],
  ];
  let said = '';
  for (const [what, words, environment, code, says] of rows) {
    const ran = await runPinwheel(words, environment);
    t.equal(ran.code, code, `${what}: ${ran.stderr}${ran.stdout}`);
    t.match(ran.stderr.trim(), says, what);
    said += ran.stderr + ran.stdout;
  }
  const plan = await runPinwheel(['ring', 'plan', '--add', 'n2', ...service, '--json'], asOps);
  t.same(JSON.parse(plan.stdout).users, [{ node: 'n1', moving: 0, of: 0 }]);

  const advice = /an API key is missing; give --keys FILE, or set PINWHEEL_API_KEY/;
  for (const words of [
    [...send, ...url],
    [...send, ...service],
    ['drain', 'n1', ...service],
  ]) {
    const { code, stdout, stderr } = await runPinwheel(words);
    t.equal(code, 1);
    t.match(stdout + stderr, advice);
  }
  for (const environment of [asApp, {}]) {
    const refused = await runPinwheel(['migrate', 'status', ...service, ...ofEdge], environment);
    t.match(refused.stdout, /^n1 +refused\b[\s\S]*^http:\S+ +refused\b/m, 'they were reached');
    if (environment !== asApp) t.match(refused.stdout, advice);
  }

  const status = async (key: string): Promise<number> => {
    const headers = { authorization: `Bearer ${key}` };
    return (await fetch(`http://127.0.0.1:${port}/v1/users/alice`, { headers })).status;
  };
  const next = await made('app-2', 'presence');
  fileOf(next, ops);
  await until('the new key is let in', async () => (await status(next.key)) === 200);
  t.equal(await status(app.key), 401, 'the old one is not');
  secretFile('api-keys.json', 'nonsense');
  await until('the log says so', () => node.log().includes('the last api keys stay good'));
  t.equal(await status(next.key), 200);

  const drained = await runPinwheel(['drain', 'n1', ...service], asOps);
  t.equal(drained.code, 0, drained.stderr);
  t.equal(await node.exit, 0);
  said += node.log() + edge.log();
  for (const { key } of [app, ops, next]) t.notOk(said.includes(key.split('_').slice(2).join('_')));
});

t.test('what would make no key ends with 2', async (t) => {
  const rows: readonly (readonly [string[], RegExp])[] = [
    [['--scopes', 'send'], /id is missing/],
    [['--id', 'a_b', '--scopes', 'send'], /id must be 1 to 64 of A-Z a-z 0-9 . -/],
    [
      ['--id', 'a', '--scopes', 'send,root'],
      /"root" in it; known: send, presence, disconnect, broadcast, admin/,
    ],
    [['--id', 'a', '--scopes', 'send', '--burst', '5'], /burst without sendsPerSecond/],
    [
      ['--id', 'a', '--scopes', 'send', '--expires-at', '2025-01-31'],
      /--expires-at is 2025-01-31, .* passed/,
    ],
    [['--id', 'a', '--scopes', 'send', '--expires-at', 'soon'], /expiresAt of key a must be a time/],
  ];
  for (const [words, says] of rows) {
    const { code, stderr, stdout } = await runPinwheel(['api-key', 'new', ...words]);
    t.equal(code, 2, words.join(' '));
    t.match(stderr, says);
    t.equal(stdout, '');
  }
});
