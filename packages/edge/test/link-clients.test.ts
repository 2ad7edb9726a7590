import t from 'tap';
import { WebSocket } from 'ws';
import { until } from '../../../test/kit/until.js';
import { createEdge, type EdgeOptions } from '../src/index.js';
import { FakeNode } from './fake-node.js';
import { FakeTracker, userOf } from './fake-tracker.js';
import { clientBytes, messageBytes, u32 } from './link-world.js';
import { RawClient, upgradeText } from './raw-client.js';
import type { TestScope } from './test-scope.js';
import { untilCounted } from './until-counted.js';

class Client {
  readonly socket: WebSocket;
  readonly got: (string | number[])[] = [];
  closed: { readonly code: number; readonly reason: string } | undefined;

  constructor(socket: WebSocket) {
    this.socket = socket;
    socket.on('error', () => {});
    socket.on('message', (data: Buffer, binary) => this.got.push(binary ? [...data] : String(data)));
    socket.on('close', (code, reason) => {
      this.closed = { code, reason: String(reason) };
    });
  }

  async has(count: number): Promise<(string | number[])[]> {
    await until(`${count} messages`, () => this.got.length >= count);
    return this.got;
  }

  async end(): Promise<{ readonly code: number; readonly reason: string }> {
    await until('the end of a client', () => this.closed !== undefined);
    return this.closed!;
  }
}

async function situation(t: TestScope, options: Partial<EdgeOptions> = {}, ids = ['n1']) {
  const nodes = await Promise.all(ids.map((id) => FakeNode.start(id)));
  const tracker = new FakeTracker(nodes.map(({ member }) => member));
  const edge = await createEdge({ id: 'e1', tracker, ...options } as EdgeOptions);
  t.teardown(async () => {
    await edge.close();
    await Promise.all(nodes.map((node) => node.close()));
  });
  const connect = async (user: string, protocols: string[] = []): Promise<Client> => {
    const socket = new WebSocket(`ws://127.0.0.1:${edge.port}/ws?user=${user}`, protocols);
    const client = new Client(socket);
    await new Promise((resolve) => socket.once('open', resolve));
    return client;
  };
  const connectV1 = async (user: string, session = 's'.repeat(20), epoch = 1): Promise<Client> => {
    const client = await connect(user, ['pinwheel.v1']);
    client.socket.send(JSON.stringify({ type: 'hello', session, epoch }));
    return client;
  };
  return { node: nodes[0]!, nodes, tracker, edge, connect, connectV1 };
}

t.test('a plain client', async (t) => {
  const { node, edge, connect } = await situation(t);
  const alice = await connect('alice');

  t.test('gets what its node says, text and binary', async (t) => {
    await node.send('alice', 'text €');
    await node.send('alice', Uint8Array.of(1, 2, 255));
    t.same(await alice.has(2), ['text €', [1, 2, 255]]);
  });

  t.test('gets many messages of one turn, in order', async (t) => {
    const { link, request } = await node.session('alice');
    const data = Buffer.alloc(1000, 'x');
    for (let i = 0; i < 20; i++) {
      link.says((say) => {
        for (let j = 0; j < 50; j++) say.message(request.session, 3 + i * 50 + j, '', true, data);
      });
    }
    await alice.has(1002);
    t.equal(alice.got.length, 1002);
  });

  t.test('sends, and what it has got is acknowledged', async (t) => {
    alice.socket.send('from alice');
    alice.socket.send(Buffer.from([7]));
    alice.socket.send('');
    const session = await node.session('alice');
    await until('it has come', () => session.got.length === 3);
    t.same(session.got, ['from alice', '\x07', '']);
    await until('all is acknowledged', () => session.said.includes('ack 1002'));
  });

  t.test('ends its session when it leaves', async (t) => {
    const { said } = await node.session('alice');
    alice.socket.close(1000);
    await until('the node knows', () => said.includes('closed 1000'));
    t.equal(edge.status.connections, 0);
  });
});

t.test('a client of pinwheel.v1', async (t) => {
  const { node, edge, connectV1 } = await situation(t);
  const bob = await connectV1('bob');
  const [welcome] = await bob.has(1);
  t.match(JSON.parse(welcome as string), { type: 'welcome', stream: 'of-bob', seq: 0, taken: 0 });
  await node.send('bob', 'hello');
  bob.socket.send(Uint8Array.from(clientBytes(1, 'mine')));
  bob.socket.send(Uint8Array.from([5, 1, ...u32(1)]));
  t.same((await bob.has(3)).slice(1).sort(), [messageBytes(1, 'hello', 'id'), [5, ...u32(1)]].sort());
  const session = await node.session('bob');
  await until('its ACK has come', () => session.said.includes('ack 1'));
  t.same(session.got, ['mine']);

  t.test('may come back when its socket dies', async (t) => {
    bob.socket.terminate();
    await until('it is detached', () => session.said.includes('detach 1'));
    const again = await connectV1('bob', 's'.repeat(20), 2);
    await again.has(1);
    t.equal((await node.session('bob')).request.epoch, 2);
    again.socket.close(1000);
    await until('the session is over', () => node.sessions.get('bob')!.said.includes('closed 1000'));
    t.equal(edge.status.connections, 0);
  });
});

t.test('what clients send that cannot be', async (t) => {
  const { node, edge, connect, connectV1 } = await situation(t, { maxInboundBytes: 1000 });
  const bystander = await connect('bystander');
  await node.session('bystander');

  t.test('a message that is too large is answered with 4503', async (t) => {
    const plain = await connect('large');
    plain.socket.send('x'.repeat(1000));
    plain.socket.send('x'.repeat(1001));
    t.match(await plain.end(), { code: 4503 });
    const v1 = await connectV1('large1');
    v1.socket.send(Uint8Array.from(clientBytes(1, 'x'.repeat(1001))));
    t.match(await v1.end(), { code: 4503 });
  });

  t.test('one that would have a gigabyte is cut off when it begins', async () => {
    const client = await new RawClient(edge.port).write(upgradeText('/ws?user=huge')).answered();
    await node.session('huge');
    const head = Buffer.from([0x82, 0xff, 0, 0, 0, 0, 0x40, 0, 0, 0, 0, 0, 0, 0]);
    client.write(head);
    await client.gone();
    await until('its node knows', () => node.sessions.get('huge')!.said.includes('closed 1006'));
  });

  t.test('garbage from a client of pinwheel.v1 is answered with 4504', async (t) => {
    const garbage: readonly (string | Uint8Array)[] = [
      'not JSON',
      '{"type":"unheard-of"}',
      Uint8Array.of(99, 1, 2, 3),
      new Uint8Array(0),
      Uint8Array.of(1, 1),
      Uint8Array.from(clientBytes(0, 'the first one is 1')),
    ];
    for (const [i, one] of garbage.entries()) {
      const client = await connectV1(`garbage${i}`);
      client.socket.send(one);
      t.match(await client.end(), { code: 4504 });
    }
  });

  t.test('text that is not UTF-8 ends the connection', async (t) => {
    const client = await new RawClient(edge.port).write(upgradeText('/ws?user=latin')).answered();
    client.write(Buffer.from([0x81, 0x81, 0, 0, 0, 0, 0xff]));
    await client.gone();
    t.pass();
  });

  t.test('harms nobody else', async (t) => {
    await node.send('bystander', 'still here');
    t.same(await bystander.has(1), ['still here']);
    t.equal(node.links.size, 1);
    t.equal(edge.status.linksUp, 1);
  });
});

t.test('a client that never reads is closed with 4002, and harms nobody', async (t) => {
  const { node, edge, connect } = await situation(t, { stalledMs: 300, maxUnreadBytes: 65_536 });
  const slow = await new RawClient(edge.port).write(upgradeText('/ws?user=slow')).answered();
  slow.socket.pause();
  const bystander = await connect('bystander');
  const session = await node.session('slow');
  await node.session('bystander');
  const chunk = Buffer.alloc(16_384);
  let sent = 0;
  // a node that does as it is asked
  await until('the node is asked to pause', () => {
    for (let i = 0; i < 8 && !session.said.includes('pause'); i++) {
      session.link.says((say) => say.message(session.request.session, ++session.seq, '', true, chunk));
      sent++;
    }
    return session.said.includes('pause');
  });
  await node.send('bystander', 'meanwhile');
  t.same(await bystander.has(1), ['meanwhile']);
  await until('it is closed', () => session.said.includes('closed 4002'));
  t.equal(edge.status.sessionsPaused, 0);
  slow.socket.resume();
  await slow.gone();
  t.ok(slow.received.length > sent * chunk.length * 0.5, 'what was written before is not lost');
  t.ok(slow.received.includes(Buffer.from([0x0f, 0xa2])), 'and then it reads why');
});

t.test('a client that is slow for a while gets everything', async (t) => {
  const { node, edge, connect } = await situation(t, { stalledMs: 20_000 });
  const client = await connect('slow');
  const session = await node.session('slow');
  client.socket.pause();
  const chunk = Buffer.alloc(32_768);
  await until('the node is asked to pause', () => {
    if (!session.said.includes('pause')) {
      session.link.says((say) => say.message(session.request.session, ++session.seq, '', true, chunk));
    }
    return session.said.includes('pause');
  });
  t.equal(edge.status.sessionsPaused, 1);
  client.socket.resume();
  await until('the node may go on', () => session.said.includes('continue'));
  await node.send('slow', 'last');
  await until('everything has come', () => client.got.at(-1) === 'last');
  t.equal(client.got.length, session.seq);
  t.equal(client.closed, undefined);
});

t.test('a node whose link speaks nonsense: that link is closed, and only that', async (t) => {
  const { nodes, tracker, edge, connect } = await situation(t, {}, ['n1', 'n2']);
  const [n1, n2] = nodes as [FakeNode, FakeNode];
  const ann = userOf(tracker, 'n1');
  const ben = userOf(tracker, 'n2');
  const [hers, his] = [await connect(ann), await connect(ben)];
  const before = await n1.session(ann);
  await n2.session(ben);
  before.link.socket.send(Buffer.from([250, 0, 0, 0, 0]));
  await until('the link is closed', () => before.link.closedWith === 1002);
  await until('she is attached again', () => n1.sessions.get(ann) !== before);
  t.match(n1.sessions.get(ann)!.request, { resumes: true, key: before.request.key });
  await n1.send(ann, 'again');
  await n2.send(ben, 'as ever');
  t.same(await hers.has(1), ['again']);
  t.same(await his.has(1), ['as ever']);
  t.same([hers.closed, his.closed], [undefined, undefined]);
  t.equal(n2.links.size, 1);
  await untilCounted(edge, 'pinwheel_edge_protocol_errors_total 1');

  t.test('a text message is nonsense too', async () => {
    const { link } = n1;
    link.socket.send('text');
    await until('the link is closed', () => link.closedWith === 1002);
  });
});

t.test('a node is sent to another node’s user: the client notices nothing', async (t) => {
  const { nodes, tracker, connect } = await situation(t, {}, ['n1', 'n2']);
  const [n1, n2] = nodes as [FakeNode, FakeNode];
  const user = userOf(tracker, 'n1');
  const client = await connect(user);
  const session = await n1.session(user);
  n2.sessions.set(user, { ...session, seq: 1 });
  session.link.says((say) => {
    say.message(session.request.session, 1, '', false, Buffer.from('before'));
    say.repin(session.request.session, 'n2', 'h1');
  });
  client.socket.send('under way');
  await until('it is at n2', () => n2.sessions.get(user)!.request.handoff === 'h1');
  await n2.send(user, 'after');
  t.same(await client.has(2), ['before', 'after']);
  await until('what it sent is there', () => n2.sessions.get(user)!.got.includes('under way'));
  t.equal(client.closed, undefined);
});

t.test('a node goes away and comes back: clients stay', async (t) => {
  const { node, connect } = await situation(t);
  const client = await connect('alice');
  const before = await node.session('alice');
  for (const { socket } of node.links) socket.terminate();
  client.socket.send('meanwhile');
  await until('it is attached again', () => node.sessions.get('alice') !== before);
  await until('what it sent is there', () => node.sessions.get('alice')!.got.includes('meanwhile'));
  await node.send('alice', 'back');
  t.same(await client.has(1), ['back']);
});

t.test('a drain', async (t) => {
  const { node, edge, connect, connectV1 } = await situation(t, { drainMs: 2000, adminPort: 0 });
  const [alice, bob] = [await connect('alice'), await connectV1('bob')];
  const sessions = [await node.session('alice'), await node.session('bob')];
  await node.send('alice', 'last words');
  await alice.has(1);
  const drained = edge.drain();
  for (const client of [alice, bob]) {
    const { code, reason } = await client.end();
    t.equal(code, 4000);
    const { retryAfterMs } = JSON.parse(reason);
    t.ok(retryAfterMs >= 0 && retryAfterMs <= 2000, `${retryAfterMs} is within the time of the drain`);
  }
  t.equal((await fetch(`http://127.0.0.1:${edge.adminPort}/readyz`)).status, 503);
  await t.rejects(connectFails(edge.port));
  await drained;
  await edge.drain();
  await until('the node knows', () => sessions.every(({ said }) => said.length > 0));
  t.match(sessions[0]!.said.at(-1), 'leave 4000');
  t.match(sessions[1]!.said.at(-1), 'detach 0');
  await until('its links are closed', () => node.links.size === 0);
});

t.test('a close cuts clients off', async (t) => {
  const { edge, connect } = await situation(t);
  const client = await connect('alice');
  await edge.close();
  await edge.close();
  t.equal((await client.end()).code, 1006);
  t.equal(edge.status.connections, 0);
});

function connectFails(port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(`ws://127.0.0.1:${port}/ws?user=late`);
    socket.once('open', resolve);
    socket.once('error', reject);
  });
}
