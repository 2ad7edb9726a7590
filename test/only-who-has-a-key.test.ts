import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createEdge } from '@pinwheel/edge';
import { inProcessMembership } from '@pinwheel/membership';
import { createNode, type PinwheelNode } from '@pinwheel/node';
import { headers } from '@pinwheel/protocol';
import { createSender } from '@pinwheel/sender';
import { boundHeaders, KeyRing, Signer } from '@pinwheel/trust';
import t from 'tap';
import { WebSocket } from 'ws';
import { rawCall } from './kit/raw-call.js';
import { until } from './kit/until.js';

type Scope = { teardown(end: () => Promise<void>): unknown };

class Keys {
  current: KeyRing;

  constructor(...ids: string[]) {
    this.current = Keys.of(...ids);
  }

  static of(...ids: string[]): KeyRing {
    return KeyRing.parse(JSON.stringify({ keys: ids.map((id) => ({ id, secret: id.repeat(32) })) }));
  }
}

async function service(t: Scope, keysOf: (id: string) => Keys, ids = ['n1', 'n2']) {
  const membership = inProcessMembership();
  const nodes: PinwheelNode[] = [];
  for (const id of ids) nodes.push(await createNode({ id, membership, keys: keysOf(id) }));
  await Promise.all(nodes.map((node) => node.ready()));
  t.teardown(async () => {
    await Promise.all(nodes.map((node) => node.close()));
    await membership.close();
  });
  return { membership, nodes, node: nodes[0]! };
}

interface Attempt {
  readonly method?: string;
  readonly target?: string;
  readonly body?: string;
  readonly more?: Readonly<Record<string, string>>;
}

const path = '/v1/users/alice/messages';

async function linksLost({ port }: PinwheelNode): Promise<number> {
  const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  return Number(/^pinwheel_node_links_lost_total (\d+)$/m.exec(text)?.[1]);
}

async function ask(port: number, { target = path, more = {}, ...call }: Attempt): Promise<number> {
  const { status } = await rawCall(port, { ...call, target, headers: Object.entries(more) });
  return status;
}

t.test('calls to a node', async (t) => {
  const keys = new Keys('a', 'b');
  const { node, nodes } = await service(t, () => keys);
  const made = (
    { method = 'POST', target = path, body = '' }: Attempt = {},
    { by = keys, to = 'n1', at = Date.now(), bound = {} as Record<string, string> } = {},
  ): string => {
    const call = { method, target, to, headers: boundHeaders((name) => bound[name]) };
    return new Signer(by, () => at).sign(call, body);
  };
  const withProof = (proof: string, attempt: Attempt = {}): Promise<number> =>
    ask(node.port, { ...attempt, more: { ...attempt.more, [headers.proof]: proof } });
  // nobody is there, which only who was let in learns
  const letIn = 404;

  t.equal(await withProof(made({ body: 'hi' }), { body: 'hi' }), letIn, 'a good one');
  t.equal(await withProof(made({}, { by: new Keys('b') })), letIn, 'with the other key');
  const text = { 'content-type': 'text/plain', 'pinwheel-hops': '1' };
  t.equal(await withProof(made({}, { bound: text }), { more: text }), letIn, 'with headers');
  t.equal(
    await withProof(made({ target: `${path}?a=%20b` }), { target: `${path}?a=%20b` }),
    letIn,
    'with a query',
  );

  const used = made();
  t.equal(await withProof(used), letIn);
  const [good] = [made({ body: 'hi' })];
  const parts = good!.split('.');
  const changed = (i: number, value: string): string =>
    parts.map((part, j) => (i === j ? value : part)).join('.');
  const otherSecret = {
    current: KeyRing.parse(JSON.stringify({ keys: [{ id: 'a', secret: 'z'.repeat(32) }] })),
  };
  const refused: readonly (readonly [string, string | undefined, Attempt?])[] = [
    ['no proof', undefined],
    ['an empty one', ''],
    ['a word', 'secret'],
    ['the secret itself', 'a'.repeat(32)],
    ['one that was used', used],
    ['a proof of another secret under our id', made({}, { by: otherSecret })],
    ['an unknown key', made({}, { by: new Keys('c') })],
    ['made a minute ago', made({}, { at: Date.now() - 60_000 })],
    ['made 31 s ago', made({}, { at: Date.now() - 31_000 })],
    ['made in a minute', made({}, { at: Date.now() + 60_000 })],
    ['made in 1970', made({}, { at: 0 })],
    ['for another node', made({}, { to: 'n2' })],
    ['for no node', made({}, { to: '' })],
    ['for another method', made({ method: 'GET' })],
    ['for another method, in small letters', made({ method: 'post' })],
    ['for another user', made({ target: '/v1/users/bob/messages' })],
    ['for another spelling of the path', made({ target: '/v1/users/%61lice/messages' })],
    ['for no query', made(), { target: `${path}?to=bob` }],
    ['for another query', made({ target: `${path}?a=1` }), { target: `${path}?a=2` }],
    ['for another body', made({ body: 'hi' }), { body: 'ho' }],
    ['for a longer body', made({ body: 'hi' }), { body: 'hi!' }],
    ['for no body', made(), { body: 'hi' }],
    ['for a body, without one', made({ body: 'hi' })],
    ['with more hops', made({}, { bound: { 'pinwheel-hops': '0' } }), { more: { 'pinwheel-hops': '1' } }],
    ['with hops that were not there', made(), { more: { 'pinwheel-hops': '1' } }],
    [
      'with another content type',
      made({}, { bound: { 'content-type': 'text/plain' } }),
      { more: { 'content-type': 'application/octet-stream' } },
    ],
    ['with a message id', made(), { more: { 'pinwheel-message-id': '1' } }],
    ['with a longer deadline', made(), { more: { 'pinwheel-deadline-ms': '60000' } }],
    ['without forwarding', made(), { more: { 'pinwheel-no-forward': '1' } }],
    ['of another version', changed(0, 'v2'), { body: 'hi' }],
    ['under another id', changed(1, 'b'), { body: 'hi' }],
    ['with another time', changed(2, String(Number(parts[2]) + 1)), { body: 'hi' }],
    ['of another process', changed(3, 'A'.repeat(16)), { body: 'hi' }],
    ['with another number', changed(4, '2'), { body: 'hi' }],
    ['with another digest', changed(5, 'A'.repeat(43)), { body: 'hi' }],
    ['with another mac', changed(6, 'A'.repeat(43)), { body: 'hi' }],
    ['with a short mac', changed(6, 'A'), { body: 'hi' }],
    ['without a mac', parts.slice(0, 6).join('.'), { body: 'hi' }],
    ['with more behind it', `${good}.x`, { body: 'hi' }],
    ['of 100 KB', 'A'.repeat(100_000)],
  ];
  for (const [what, proof, attempt = {}] of refused) {
    const status = await (proof === undefined ? ask(node.port, attempt) : withProof(proof, attempt));
    t.ok(status === 401 || (what === 'of 100 KB' && status === 431), `${what}: ${status}`);
  }
  t.ok(refused.length >= 40);

  const all: readonly (readonly [string, string])[] = [
    ['POST', '/v1/messages'],
    ['POST', '/v1/broadcast'],
    ['GET', '/v1/users/alice'],
    ['DELETE', '/v1/users/alice/sessions'],
    ['GET', '/v1/users/alice/acknowledgements?stream=s&seq=1'],
    ['GET', '/v1/ring'],
    ['GET', '/v1/ring/plan?add=n3'],
    ['POST', '/v1/ring/accept'],
    ['GET', '/v1/migrations'],
    ['POST', '/v1/migrations'],
    ['POST', '/v1/claims'],
    ['POST', '/v1/handoffs'],
    ['POST', '/v1/commits'],
    ['POST', '/v1/drain'],
    ['PUT', '/v1/messages'],
    ['OPTIONS', '/v1/messages'],
    ['GET', '/v1/nothing'],
  ];
  for (const [method, target] of all) {
    t.equal(await ask(node.port, { method, target }), 401, `${method} ${target} without a proof`);
  }
  for (const target of ['/healthz', '/readyz', '/metrics']) {
    t.equal(await ask(node.port, { method: 'GET', target }), 200, `${target} is open`);
  }
  t.equal(nodes.length, 2);
});

t.test('a proof that was used at a node is of no use when the node has started again', async (t) => {
  const membership = inProcessMembership();
  t.teardown(() => membership.close());
  const keys = new Keys('a');
  const start = async (port = 0): Promise<PinwheelNode> => {
    const node = await createNode({ id: 'n1', membership, keys, port });
    await node.ready();
    return node;
  };
  const call = { method: 'GET', target: '/v1/ring', to: 'n1', headers: boundHeaders(() => undefined) };
  const statusOf = (port: number, proof: string): Promise<number> =>
    ask(port, { method: 'GET', target: call.target, more: { [headers.proof]: proof } });
  const first = await start();
  const { port } = first;
  const proof = new Signer(keys).sign(call);
  t.equal(await statusOf(port, proof), 200);
  await first.close();
  const second = await start(port);
  t.teardown(() => second.close());
  t.equal(await statusOf(port, proof), 401);
  const sender = createSender({ membership, keys });
  t.teardown(() => sender.close());
  t.equal((await sender.send('alice', 'hi')).status, 'offline', 'whoever signs anew is heard');
});

t.test('links', async (t) => {
  const keys = new Keys('a');
  const { node } = await service(t, () => keys, ['n1']);
  const statusOf = (proof: string | undefined): Promise<number> =>
    new Promise((resolve, reject) => {
      const link = new WebSocket(`ws://127.0.0.1:${node.port}/v1/link`, {
        headers: proof === undefined ? {} : { [headers.proof]: proof },
      });
      link.on('error', reject);
      link.on('unexpected-response', (request, response) => {
        resolve(response.statusCode ?? 0);
        request.destroy();
      });
      link.on('open', () => {
        resolve(101);
        link.terminate();
      });
    });
  const proof = (by = keys, to = 'n1', target = '/v1/link', at = Date.now()): string =>
    new Signer(by, () => at).sign({ method: 'GET', target, to, headers: boundHeaders(() => undefined) });
  const good = proof();
  t.equal(await statusOf(good), 101);
  t.equal(await statusOf(good), 401, 'a second time');
  t.equal(await statusOf(undefined), 401, 'without');
  t.equal(await statusOf('x'), 401, 'nonsense');
  t.equal(await statusOf(proof(new Keys('b'))), 401, 'of an unknown key');
  t.equal(await statusOf(proof(keys, 'n2')), 401, 'for another node');
  t.equal(await statusOf(proof(keys, 'n1', '/v1/links')), 401, 'for another path');
  t.equal(await statusOf(proof(keys, 'n1', '/v1/link', Date.now() - 60_000)), 401, 'a minute old');
});

t.test('the WebSocket port takes tunnels of edges that have the keys, and nobody else', async (t) => {
  const keys = new Keys('a');
  const { membership, node } = await service(t, () => keys, ['n1']);
  const direct = (proof?: string): Promise<number> =>
    ask(node.wsPort, {
      method: 'GET',
      target: '/ws',
      more: {
        Connection: 'Upgrade',
        Upgrade: 'websocket',
        'Sec-WebSocket-Version': '13',
        'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
        [headers.user]: 'alice',
        ...(proof === undefined ? {} : { [headers.proof]: proof }),
      },
    });
  const of = (user: string, by = keys): string => {
    const bound = boundHeaders((name) => (name === headers.user ? user : undefined));
    return new Signer(by).sign({ method: 'GET', target: '/ws', to: 'n1', headers: bound });
  };
  t.equal(await direct(), 401, 'without a proof');
  t.equal(await direct(of('bob')), 401, 'for another user');
  t.equal(await direct(of('alice', new Keys('b'))), 401, 'of an unknown key');
  t.equal(await direct(of('alice')), 101, 'a good one');

  const upgrade = async (edgeKeys: Keys | undefined): Promise<number> => {
    const edge = await createEdge({
      id: 'e1',
      membership,
      upstream: 'tunnel',
      ...(edgeKeys === undefined ? {} : { keys: edgeKeys }),
    });
    const socket = new WebSocket(`ws://127.0.0.1:${edge.port}/ws?user=carol&a=%20b`);
    const status = await new Promise<number>((resolve) => {
      socket.on('error', () => {});
      socket.on('open', () => resolve(101));
      socket.on('unexpected-response', (_, response) => resolve(response.statusCode ?? 0));
    });
    socket.terminate();
    await edge.close();
    return status;
  };
  t.equal(await upgrade(keys), 101, 'through an edge with the keys');
  t.equal(await upgrade(undefined), 401, 'through one without');
  t.equal(await upgrade(new Keys('b')), 401, 'through one with others');
});

t.test('a tunnel edge makes proofs for upgrades, and for no request that a client can choose', async (t) => {
  const keys = new Keys('a');
  const seen: IncomingHttpHeaders[] = [];
  const node = createServer((request, response) => {
    seen.push(request.headers);
    response.writeHead(426).end();
  });
  node.on('upgrade', (request, socket) => {
    seen.push(request.headers);
    socket.destroy();
  });
  node.listen(0, '127.0.0.1');
  await once(node, 'listening');
  const { port } = node.address() as AddressInfo;
  const membership = inProcessMembership();
  membership.set({ id: 'n1', port, wsPort: port });
  const edge = await createEdge({ id: 'e1', membership, upstream: 'tunnel', keys });
  t.teardown(async () => {
    await edge.close();
    await membership.close();
    node.close();
  });
  for (const [method, target] of [
    ['POST', '/v1/drain'],
    ['DELETE', '/v1/users/bob/sessions'],
    ['GET', '/ws'],
  ] as const) {
    t.equal(await ask(edge.port, { method, target: `${target}?user=alice` }), 426);
    t.match(seen.at(-1), { [headers.user]: 'alice' }, 'it has come');
    t.equal(seen.at(-1)![headers.proof], undefined, `${method} ${target}`);
  }
  const client = new WebSocket(`ws://127.0.0.1:${edge.port}/ws?user=alice`);
  client.on('error', () => {});
  await until('the upgrade has come', () => seen.at(-1)!.upgrade !== undefined);
  t.type(seen.at(-1)![headers.proof], 'string');
  client.terminate();
});

t.test('sender, edge and nodes work with keys, and while these change nothing is lost', async (t) => {
  const all = new Map<string, Keys>();
  const keysOf = (id: string): Keys => {
    const keys = all.get(id) ?? new Keys('a');
    all.set(id, keys);
    return keys;
  };
  const { membership, nodes } = await service(t, keysOf, ['n1', 'n2', 'n3']);
  const edge = await createEdge({ id: 'e1', membership, keys: keysOf('e1') });
  const sender = createSender({ membership, keys: keysOf('s1') });
  const stranger = createSender({ membership, keys: new Keys('c'), deadlineMs: 500 });
  const nobody = createSender({ membership, deadlineMs: 500 });
  t.teardown(async () => {
    await Promise.all([sender.close(), stranger.close(), nobody.close()]);
    await edge.close();
  });
  const users = Array.from({ length: 12 }, (_, i) => `user-${i}`);
  const got = new Map<string, string[]>();
  for (const user of users) {
    const client = new WebSocket(`ws://127.0.0.1:${edge.port}/ws?user=${user}`);
    const messages: string[] = [];
    got.set(user, messages);
    client.on('message', (data) => messages.push(String(data)));
    await new Promise((resolve, reject) => client.once('open', resolve).once('error', reject));
    t.teardown(async () => client.terminate());
  }
  await until('everybody is attached', () => edge.status.sessionsAttached === users.length);

  // tried until its time is over; what its last try says depends on the moment
  t.equal((await stranger.send('user-0', 'forged')).status, 'overloaded');
  t.equal((await nobody.send('user-0', 'forged')).status, 'overloaded');

  const sent: string[] = [];
  const send = async (): Promise<void> => {
    const data = randomUUID();
    sent.push(data);
    // links are opened anew when the key that opened them is taken out: what comes then waits for them
    for (const { status } of await sender.sendMany(users, data)) t.match(status, /^(delivered|queued)$/);
  };
  // each step in every process, one after the other, in any order, before the next step
  for (const step of [['a', 'b'], ['b', 'a'], ['b']]) {
    for (const keys of [...all.values()].reverse()) {
      keys.current = Keys.of(...step);
      await send();
    }
  }
  for (const node of nodes)
    await until(`the link of ${node.id} is a new one`, async () => (await linksLost(node)) === 1);
  await until('everybody is attached again', () => edge.status.sessionsAttached === users.length);
  t.equal((await sender.broadcast('all')).delivered, users.length);
  sent.push('all');
  await until('everything has come', () => users.every((user) => got.get(user)!.length >= sent.length));
  for (const user of users) t.same(got.get(user), sent, user);
});

t.test('a link by a key that is taken out is closed, and comes no more by it', async (t) => {
  const keys = new Keys('a', 'b');
  const { membership, node } = await service(t, () => keys, ['n1']);
  const edgeBy = async (id: string, edgeKeys: Keys) => {
    const edge = await createEdge({ id, membership, keys: edgeKeys });
    const client = new WebSocket(`ws://127.0.0.1:${edge.port}/ws?user=${id}`);
    client.on('error', () => {});
    t.teardown(async () => {
      client.terminate();
      await edge.close();
    });
    await until('its client is attached', () => edge.status.sessionsAttached === 1);
    return edge;
  };
  const stays = await edgeBy('stays', new Keys('b'));
  const stolen = await edgeBy('stolen', new Keys('a'));
  keys.current = Keys.of('b');
  await until('it is out', () => stolen.status.linksUp === 0 && stolen.status.sessionsAttached === 0);
  t.equal(stays.status.sessionsAttached, 1);
  t.equal(await linksLost(node), 1, 'the other link is the one that it was');
  await until('it is refused', () => stolen.status.linksOpening === 1);
  t.equal(stolen.status.linksUp, 0);
});

t.test('without keys a node listens where only its machine reaches it', async (t) => {
  const membership = inProcessMembership();
  t.teardown(() => membership.close());
  for (const bindHost of ['0.0.0.0', '::', '10.0.0.1']) {
    const node = createNode({ id: 'n1', membership, bindHost });
    await t.rejects(node, { code: 'bad-option', message: /there are no keys.*allowInsecure/ }, bindHost);
  }
  for (const options of [{ keys: new Keys('a') }, { allowInsecure: true }]) {
    const node = await createNode({ id: 'n1', membership, bindHost: '0.0.0.0', ...options });
    await node.close();
  }
});
