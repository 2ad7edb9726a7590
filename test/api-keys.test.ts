import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { createEdge, type EdgeOptions } from '@pinwheel/edge';
import { inProcessMembership } from '@pinwheel/membership';
import { createNode } from '@pinwheel/node';
import { headers } from '@pinwheel/protocol';
import { createSender } from '@pinwheel/sender';
import {
  ApiKeySet,
  type ApiScope,
  apiScopes,
  boundHeaders,
  KeyRing,
  newApiKey,
  Signer,
} from '@pinwheel/trust';
import t from 'tap';
import { WebSocket } from 'ws';
import { type RawAnswer, type RawCall, rawCall } from './kit/raw-call.js';
import { until } from './kit/until.js';

const keys = { current: KeyRing.parse(JSON.stringify({ keys: [{ id: 'k', secret: 'k'.repeat(32) }] })) };
const signer = new Signer(keys);

/** One key for each scope, one with all of them, one that is over and one that is not in the set. */
function apiKeys() {
  const made = (id: string) => ({ ...newApiKey(id), id });
  const byScope = Object.fromEntries(apiScopes.map((scope) => [scope, made(scope)])) as Record<
    ApiScope,
    ReturnType<typeof made>
  >;
  const [all, old, gone] = [made('all'), made('old'), made('gone')];
  const source = {
    current: ApiKeySet.parse(
      JSON.stringify({
        keys: [
          ...apiScopes.map((scope) => ({ id: scope, hash: byScope[scope].hash, scopes: [scope] })),
          { id: 'all', hash: all.hash, scopes: apiScopes },
          { id: 'old', hash: old.hash, scopes: apiScopes, expiresAt: '2020-01-01T00:00:00Z' },
        ],
      }),
    ),
  };
  return { source, byScope, all: all.key, old: old.key, gone: gone.key };
}

type Scope = { teardown(end: () => Promise<void>): unknown };

async function situation(t: Scope, options: { readonly keysOfCallers?: ReturnType<typeof apiKeys> } = {}) {
  const given = options.keysOfCallers ?? apiKeys();
  const membership = inProcessMembership();
  const node = await createNode({ id: 'n1', membership, keys, apiKeys: given.source, adminPort: 0 });
  await node.ready();
  t.teardown(async () => {
    await node.close();
    await membership.close();
  });
  const ask = (call: RawCall, key?: string, port = node.port): Promise<RawAnswer> =>
    rawCall(port, {
      ...call,
      headers: [...(call.headers ?? []), ...(key === undefined ? [] : [bearer(key)])],
    });
  return { ...given, membership, node, ask };
}

const bearer = (key: string) => ['Authorization', `Bearer ${key}`] as const;
const proof = (to: string, method: string, target: string, body = '') =>
  [headers.proof, signer.sign({ method, target, to, headers: boundHeaders(() => undefined) }, body)] as const;

const send: RawCall = { target: '/v1/users/alice/messages', body: 'hi' };
// nobody is there, which only who was let in learns
const letIn = 404;

t.test('who is let in by an API key', async (t) => {
  const { ask, all, old, gone, byScope, node } = await situation(t);
  t.equal((await ask(send, all)).status, letIn);
  t.equal((await ask({ ...send, headers: [['authorization', `bearer ${all}`]] })).status, letIn);
  const [, , secret = ''] = /^(pwk_all_)(.+)$/.exec(all) ?? [];
  const other = byScope.send.key.replace('pwk_send_', '');
  const named = (authorization: string): RawCall => ({
    ...send,
    headers: [['Authorization', authorization]],
  });
  const refused: readonly (readonly [string, RawCall, string?])[] = [
    ['without a key', send],
    ['with an empty header', named('')],
    ['with the scheme alone', named('Bearer')],
    ['with another scheme', named(`Basic ${all}`)],
    ['without a scheme', named(all)],
    ['without the beginning', named(`Bearer all_${secret}`)],
    ['without an id', named(`Bearer pwk__${secret}`)],
    ['without a secret', named('Bearer pwk_all_')],
    ['with half a secret', named(`Bearer ${all.slice(0, -20)}`)],
    ['with one letter changed', named(`Bearer ${all.slice(0, -1)}${all.endsWith('A') ? 'B' : 'A'}`)],
    ['with a letter more', named(`Bearer ${all}A`)],
    ['with the hash in place of the secret', named(`Bearer pwk_all_${byScope.send.hash}`)],
    ['with the secret of another key', named(`Bearer pwk_all_${other}`)],
    ['with its secret under another id', named(`Bearer pwk_send_${secret}`)],
    ['with its id in capitals', named(`Bearer pwk_ALL_${secret}`)],
    ['with an id that objects have', named(`Bearer pwk_constructor_${secret}`)],
    ['with two keys in one header', named(`Bearer ${all}, Bearer ${all}`)],
    ['with a second header', named(`Bearer ${all}`), all],
    ['with a second header that is nonsense', { ...send, headers: [['Authorization', 'x']] }, all],
    ['with a key that is over', send, old],
    ['with a key that nobody knows', send, gone],
    ['with the key in the query', { ...send, target: `${send.target}?api_key=${all}` }],
    ['with the key in header and query', { ...send, target: `${send.target}?token=${all}` }, all],
    ['with the key as a cookie', { ...send, headers: [['Cookie', `key=${all}`]] }],
    ['with the key as a header of its own', { ...send, headers: [['X-Api-Key', all]] }],
    ['with the key as a proof', { ...send, headers: [[headers.proof, all]] }],
    ['with a key and a proof', { ...send, headers: [proof('n1', 'POST', send.target, send.body)] }, all],
    ['with a key of 1 MB', named(`Bearer pwk_all_${'A'.repeat(1_048_576)}`)],
    ['with a header of 10 KB', named(`Bearer ${'A'.repeat(10_000)}`)],
  ];
  for (const [what, call, key] of refused) {
    const status = await ask(call, key).then(
      (answer) => answer.status,
      // uWebSockets.js cuts a caller off whose headers do not end
      (error: NodeJS.ErrnoException) => (call.headers?.[0]?.[1].length ?? 0) > 4096 && error.code,
    );
    const isLong = (call.headers?.[0]?.[1].length ?? 0) > 4096;
    t.ok(
      status === 401 || (isLong && ['ECONNRESET', 'EPIPE', 431].includes(status as number)),
      `${what}: ${status}`,
    );
  }
  t.match((await ask(send, old)).body, /the API key old expired at 2020-01-01T00:00:00.000Z/);
  t.match((await ask({ ...send, target: `${send.target}?k=${all}` })).body, /in the URL/);

  const metrics = (await ask({ method: 'GET', target: '/metrics' })).body;
  t.match(metrics, /pinwheel_node_api_key_calls_total\{decision="accepted"\} 2\n/);
  t.match(metrics, /pinwheel_node_api_key_messages_total\{key="all"\} 2\n/);
  t.notMatch(
    metrics,
    /key="(?!all|old|send|presence|disconnect|broadcast|admin)|pwk_/,
    'only ids that were configured are counted',
  );
  t.notOk(metrics.includes(secret));
  t.equal(node.sessions, 0);
});

/** What each call needs; `proof`: no key will do. */
const endpoints: readonly (readonly [need: ApiScope | 'proof', method: string, target: string])[] = [
  ['send', 'POST', '/v1/users/alice/messages'],
  ['send', 'POST', '/v1/messages'],
  ['send', 'GET', '/v1/users/alice/acknowledgements?stream=s&seq=1'],
  ['broadcast', 'POST', '/v1/broadcast'],
  ['presence', 'GET', '/v1/users/alice'],
  ['disconnect', 'DELETE', '/v1/users/alice/sessions'],
  ['proof', 'POST', '/v1/claims'],
  ['proof', 'POST', '/v1/handoffs'],
  ['proof', 'POST', '/v1/commits'],
  ['proof', 'GET', '/v1/link'],
];
const operators: readonly (readonly [method: string, target: string, body?: string])[] = [
  ['GET', '/v1/ring'],
  ['GET', '/v1/ring/plan?add=n3'],
  ['POST', '/v1/ring/accept'],
  ['GET', '/v1/migrations'],
  ['POST', '/v1/migrations', '{"paused":true}'],
];

t.test('every scope at every endpoint of a node', async (t) => {
  const { ask, byScope, all, node } = await situation(t);
  const upgrade = [
    ['Connection', 'Upgrade'],
    ['Upgrade', 'websocket'],
    ['Sec-WebSocket-Version', '13'],
    ['Sec-WebSocket-Key', 'dGhlIHNhbXBsZSBub25jZQ=='],
  ] as const;
  for (const [need, method, target] of endpoints) {
    const call = { method, target, headers: target === '/v1/link' ? upgrade : [] };
    t.equal((await ask(call)).status, 401, `${method} ${target} without a key`);
    for (const scope of apiScopes) {
      const { status, body } = await ask(call, byScope[scope].key);
      const what = `${method} ${target} with ${scope}: ${status}`;
      if (need === scope) t.notOk([401, 403, 405].includes(status), what);
      // links know no API keys at all
      else if (target === '/v1/link') t.equal(status, 401, what);
      else {
        t.equal(status, 403, what);
        t.match(body, need === 'proof' ? /between nodes/ : new RegExp(`lacks the scope ${need}`));
      }
    }
  }
  for (const [method, target, body = ''] of operators) {
    const call = { method, target, body };
    for (const scope of apiScopes) {
      const internal = await ask(call, byScope[scope].key);
      t.equal(internal.status, 403, `${method} ${target} with ${scope} on the internal port`);
      t.match(internal.body, /scope admin and the admin port/);
      const { status } = await ask(call, byScope[scope].key, node.adminPort);
      t.equal(status, scope === 'admin' ? 200 : 403, `${method} ${target} with ${scope} on the admin port`);
    }
    t.equal((await ask(call)).status, 401);
    t.equal((await ask(call, undefined, node.adminPort)).status, 401, `${method} ${target} without a key`);
    const proven = { method, target, headers: [proof('n1', method, target)] };
    if (body !== '') continue;
    t.equal((await ask(proven, undefined, node.adminPort)).status, 200, 'with a proof, on the admin port');
    const again = { method, target, headers: [proof('n1', method, target)] };
    t.equal((await ask(again)).status, 200, 'with a proof, on the internal port');
  }
  for (const target of ['/healthz', '/readyz', '/metrics']) {
    for (const port of [node.port, node.adminPort]) {
      t.equal((await ask({ method: 'GET', target }, undefined, port)).status, 200, `${target} is open`);
    }
  }
  t.match(JSON.parse((await ask({ method: 'GET', target: '/healthz' })).body), { adminPort: node.adminPort });
  t.equal((await ask(send, all, node.adminPort)).status, 404);
  t.match(
    (await ask(send, all, node.adminPort)).body,
    /there is no .* on this port/,
    'messages have their port',
  );
  t.equal((await ask({ method: 'GET', target: '/v1/nothing' }, all)).status, 404);
  t.equal((await ask({ method: 'GET', target: '/v1/messages' }, byScope.send.key)).status, 405);
  t.equal(
    (await ask({ target: '/v1/drain' }, all)).status,
    403,
    'nobody drains it through the internal port',
  );
  t.equal((await ask({ target: '/v1/drain' }, byScope.send.key, node.adminPort)).status, 403);
  t.equal((await ask({ target: '/v1/drain' }, byScope.admin.key, node.adminPort)).status, 202);
  await node.closed;
});

t.test('the rate of a key is its own', async (t) => {
  const slow = { sendsPerSecond: 1, burst: 50, scopes: ['send', 'broadcast'] };
  const [one, two] = [newApiKey('one'), newApiKey('two')];
  const current = ApiKeySet.parse(
    JSON.stringify({
      keys: [
        { id: 'one', hash: one.hash, ...slow },
        { id: 'two', hash: two.hash, ...slow },
      ],
    }),
  );
  const { ask, membership } = await situation(t, { keysOfCallers: { ...apiKeys(), source: { current } } });
  const batch = (messages: number): RawCall => ({
    target: '/v1/messages',
    body: '{"user":"alice","data":"x"}\n'.repeat(messages),
  });
  const sent = async (key: string, messages: number): Promise<number> => {
    const { status, body } = await ask(batch(messages), key);
    if (status === 200) t.equal(body.split('\n').filter(Boolean).length, messages);
    return status;
  };
  const tooMany = await ask(batch(51), one.key);
  t.equal(tooMany.status, 429);
  t.match(tooMany.body, /send at most 50 in one call/);
  t.match(tooMany.head, /\r\nretry-after: 1\r\n/);
  t.equal(await sent(one.key, 45), 200, 'a batch that was refused has cost nothing');
  const over = await ask(batch(40), one.key);
  t.equal(over.status, 429, 'a batch is refused whole');
  t.match(over.body, /"code":"limit-reached".*40 messages.*1 messages a second, 50 at once/);
  t.ok(Number(/\r\nretry-after: (\d+)\r\n/.exec(over.head)?.[1]) > 10);
  const broken = await ask({ target: '/v1/messages', body: 'x\n'.repeat(40) }, one.key);
  t.equal(broken.status, 429, 'lines that cannot be read count, too');
  t.equal(await sent(one.key, 2), 200, 'a smaller one is not');
  t.equal(await sent(two.key, 50), 200, 'another key has its own rate');
  t.equal((await ask(batch(40), two.key)).status, 429);

  const sender = createSender({ membership, keys });
  t.teardown(() => sender.close());
  const receipts = await sender.sendMany(
    Array.from({ length: 500 }, (_, i) => `u${i}`),
    'x',
  );
  t.ok(
    receipts.every(({ status }) => status === 'offline'),
    'and processes of the service have none',
  );

  const singles: number[] = [];
  for (let i = 0; i < 60 && !singles.includes(429); i++) singles.push((await ask(send, one.key)).status);
  t.equal(singles.at(-1), 429, 'single messages count like batches');
  t.equal(
    (await ask({ target: '/v1/broadcast', body: 'x' }, two.key)).status,
    429,
    'and so does a broadcast',
  );
});

t.test('bodies of callers with keys have a bound in all', async (t) => {
  const { ask, byScope, all, node } = await situation(t);
  const half = (key: string): readonly Socket[] =>
    Array.from({ length: 2 }, () => {
      const socket = connect(node.port, '127.0.0.1');
      socket.on('error', () => {});
      socket.write(
        `POST /v1/messages HTTP/1.1\r\nHost: x\r\n${bearer(key).join(': ')}\r\nContent-Length: 16777216\r\n\r\nx`,
      );
      t.teardown(() => void socket.destroy());
      return socket;
    });
  const small = { target: '/v1/messages', body: '{"user":"alice","data":"x"}\n' };
  const key = byScope.send.key;
  const first = half(key);
  await until('nothing more of this key is read', async () => (await ask(small, key)).status === 503);
  t.match((await ask(small, key)).body, /"code":"overloaded".*33554432 is the most/);
  t.equal((await ask(small, all)).status, 200, 'another one has room');
  half(all);
  await until('nothing more of that one is read', async () => (await ask(small, all)).status === 503);
  t.match((await ask(small, key)).body, /"code":"overloaded".*67108864 is the most/, 'nor of any');
  for (const socket of first) socket.destroy();
  await until('there is room again', async () => (await ask(small, key)).status === 200);
});

t.test('a body of unknown length takes no more room than it needs once it is there', async (t) => {
  const { ask, byScope, node, membership } = await situation(t);
  const edge = await createEdge({ id: 'e1', membership, keys, port: 0 });
  t.teardown(() => edge.close());
  const silent = new WebSocket(`ws://127.0.0.1:${edge.port}/ws?user=alice`, 'pinwheel.v1');
  t.teardown(() => silent.close());
  silent.once('open', () =>
    silent.send(JSON.stringify({ type: 'hello', session: 's'.repeat(16), epoch: 1 })),
  );
  await once(silent, 'message');
  const { key } = byScope.send;
  const calls = new AbortController();
  const line = '{"user":"alice","data":"x","wait":"client"}\n';
  const posts = Array.from({ length: 5 }, () =>
    fetch(`http://127.0.0.1:${node.port}/v1/messages`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, [headers.deadlineMs]: '60000' },
      body: new Blob([line]).stream(),
      duplex: 'half',
      signal: calls.signal,
    } as RequestInit),
  );
  const refused = Promise.race(posts).then(({ status }) => t.fail(`one is answered with ${status}`));
  await until('all of them wait', async () =>
    (await ask({ method: 'GET', target: '/metrics' })).body.includes('\npinwheel_node_acknowledgements 5\n'),
  );
  calls.abort();
  await t.rejects(refused);
});

t.test('the admin port of an edge', async (t) => {
  const { membership, source, byScope, all, gone } = await situation(t);
  const start = async (options: Partial<EdgeOptions>) => {
    const edge = await createEdge({ id: 'e1', membership, adminPort: 0, ...options } as EdgeOptions);
    t.teardown(() => edge.close());
    return (call: RawCall, key?: string) =>
      rawCall(edge.adminPort!, {
        ...call,
        headers: [...(call.headers ?? []), ...(key === undefined ? [] : [bearer(key)])],
      });
  };
  const ring: RawCall = { method: 'GET', target: '/v1/ring' };
  const proven = (to: string, target = ring.target, method = 'GET'): RawCall => ({
    method,
    target,
    headers: [proof(to, method, target)],
  });
  const pause = '{"usersPerSecond":100}';
  const pauseProven: RawCall = {
    target: '/v1/migrations',
    body: '{"paused":false}',
    headers: [proof('e1', 'POST', '/v1/migrations', pause)],
  };
  const [both, keyed, service, open, exposed] = await Promise.all([
    start({ keys, apiKeys: source }),
    start({ apiKeys: source }),
    start({ keys }),
    start({}),
    start({ adminHost: '0.0.0.0' }),
  ]);
  const used = proven('e1');
  const rows: readonly (readonly [string, Promise<RawAnswer>, number])[] = [
    ['keys of both kinds: nothing', both(ring), 401],
    ['an unknown key', both(ring, gone), 401],
    ['two headers', both({ ...ring, headers: [bearer(all)] }, all), 401],
    ['the key in the query', both({ ...ring, target: `/v1/ring?k=${all}` }), 401],
    ['a key and a proof', both(proven('e1'), all), 401],
    ['a proof for another process', both(proven('n1')), 401],
    ['a proof for another path', both({ ...proven('e1'), target: '/v1/migrations' }), 401],
    ['a proof for another body', both(pauseProven), 401],
    ['a path that there is not', both({ method: 'GET', target: '/v1/nothing' }), 401],
    ['a proof', both(used), 200],
    ['a header of 1 MB', both({ ...ring, headers: [['Authorization', 'A'.repeat(1_048_576)]] }), 431],
    ['API keys alone: nothing', keyed(ring), 401],
    ['a proof that nobody checks', keyed(proven('e1')), 401],
    ['the scope admin', keyed(ring, byScope.admin.key), 200],
    [
      'a change with the scope admin',
      keyed({ target: '/v1/migrations', body: pause }, byScope.admin.key),
      200,
    ],
    ['keys alone: nothing', service(ring), 401],
    ['an API key that nobody checks', service(ring, all), 401],
    ['a proof', service(proven('e1')), 200],
    ['no keys, where only this machine comes in', open(ring), 200],
    ['no keys, where others come in', exposed(ring), 401],
    ['a drain there', exposed({ target: '/v1/drain' }), 401],
    ...apiScopes.map(
      (scope) => [scope, both(ring, byScope[scope].key), scope === 'admin' ? 200 : 403] as const,
    ),
    ...[both, keyed, service, open, exposed].flatMap((edge) =>
      ['/healthz', '/metrics'].map(
        (target) => [`${target} is open`, edge({ method: 'GET', target }), 200] as const,
      ),
    ),
  ];
  for (const [what, answer, status] of rows) t.equal((await answer).status, status, what);
  t.equal((await both(used)).status, 401, 'a proof that was used');
  const drained = await keyed({ target: '/v1/drain' }, byScope.send.key);
  t.equal(drained.status, 403);
  t.match(drained.body, /lacks the scope admin/);
  const metrics = (await keyed({ method: 'GET', target: '/metrics' })).body;
  t.match(metrics, /pinwheel_edge_api_key_calls_total\{decision="accepted"\} 2\n/);
  t.notMatch(metrics, /pwk_/);
});

t.test('API keys need the keys of the service beside them', async (t) => {
  const membership = inProcessMembership();
  t.teardown(() => membership.close());
  const node = createNode({ id: 'n1', membership, apiKeys: apiKeys().source });
  await t.rejects(node, { code: 'bad-option', message: /there are apiKeys and no keys/ });
  const exposed = createNode({ id: 'n1', membership, adminPort: 0, adminHost: '0.0.0.0' });
  await t.rejects(exposed, { code: 'bad-option', message: /adminHost is 0.0.0.0 and there are no keys/ });
});
