import { freePort } from '@pinwheel/bench/load/free-ports.js';
import {
  type InProcessMembership,
  inProcessMembership,
  type Membership,
  staticMembership,
} from '@pinwheel/membership';
import { buildRing } from '@pinwheel/ring';
import { createSender } from '@pinwheel/sender';
import t from 'tap';
import { until } from '../../../test/kit/until.js';
import { createNode, type PinwheelNode } from '../src/index.js';
import { connect } from './kit/client.js';
import { Crowd } from './kit/crowd.js';
import { connectEdge } from './kit/fake-edge.js';
import { Flow } from './kit/flow.js';
import { Gate } from './kit/gate.js';
import { quickTracking, startNodes } from './kit/nodes.js';
import { type Answer, metric, post, postLines, request } from './kit/requests.js';
import { joinSilent } from './kit/silent-node.js';

t.test('a node drains while messages flow, and nothing is lost', async (t) => {
  const nodes = await startNodes(t, ['n1', 'n2', 'n3'], { usersPerSecond: 400 });
  const n1 = nodes.of('n1');
  const users = Array.from({ length: 150 }, (_, i) => `u${i}`);
  const crowd = new Crowd(t, nodes);
  await Promise.all(users.map((user) => crowd.connect(user)));
  const leaving = n1.sessions;
  const [absent = ''] = nodes.usersOf('n1', 1);
  const sender = createSender({ membership: nodes.membership });
  t.teardown(() => sender.close());
  await sender.ready();
  const flow = new Flow(t, sender, users);

  await request(n1, 'POST', '/v1/migrations', '{"paused":true}');
  const drain = await request(n1, 'POST', '/v1/drain');
  t.match(drain, { status: 202, json: { users: leaving } });
  t.match(await request(n1, 'GET', '/healthz'), {
    status: 200,
    json: { status: 'draining', draining: true },
  });
  t.match(await request(n1, 'GET', '/readyz'), { status: 503, json: { status: 'draining' } });
  t.equal((await request(n1, 'POST', '/v1/drain')).status, 202, 'asked for again, it goes on');
  await request(n1, 'POST', '/v1/migrations', '{"paused":false}');
  await Promise.all([n1.drain(), n1.closed]);
  const n2 = nodes.of('n2');
  await until('n2 has forgotten it', () => !n2.tracker.current.members.has('n1'));
  const [nobody] = await postLines(n2, [{ user: absent, data: 'x' }]);
  t.match(nobody, { status: 'offline' }, 'nobody is awaited from a node that has ended as planned');
  await until(
    'everybody is elsewhere',
    () => nodes.of('n2').sessions + nodes.of('n3').sessions === users.length,
  );
  await flow.stop();

  t.equal(n1.sessions, 0);
  t.equal(n1.migration.moved, leaving, 'at the pace, none in a hurry at the end');
  t.same(
    nodes.membership.members().map(({ id }) => id),
    ['n2', 'n3'],
  );
  t.equal(crowd.moved.length, leaving, 'nobody else was closed');
  t.ok(crowd.moved.every(({ end }) => end?.code === 4000));
  await until('every message that is called delivered', () => {
    const received = crowd.received();
    return flow.delivered.every(({ text }) => received.has(text));
  });
  const counts = [...crowd.received().values()];
  t.ok(
    counts.every((count) => count === 1),
    'none twice',
  );
  t.equal(counts.length, flow.delivered.length, 'and none that was said to be lost');
  const others = flow.receipts.filter(({ status }) => status !== 'delivered' && status !== 'offline');
  t.same(others, [], 'the others were told to be offline: between their two sessions');
  t.match(sender.counters(), { queuedMessages: 0, waitingUsers: 0 });
});

t.test('a node of a written-down list that drains is there until everybody has asked it', async (t) => {
  const ports = await Promise.all(Array.from({ length: 4 }, freePort));
  const list = ['n1', 'n2'].map((id, i) => ({
    id,
    address: '127.0.0.1',
    port: ports[2 * i]!,
    wsPort: ports[2 * i + 1]!,
  }));
  const [own, ...others] = Array.from({ length: 10 }, () => staticMembership(list));
  const nodes = await Promise.all(
    list.map(({ id, port, wsPort }, i) =>
      createNode({ id, port, wsPort, membership: [own!, others[0]!][i]! }),
    ),
  );
  t.teardown(async () => {
    await Promise.all(nodes.map((node) => node.close()));
    await Promise.all([own!, ...others].map((membership) => membership.close()));
  });
  await Promise.all(nodes.map((node) => node.ready()));
  const drained = others.map(() => false);
  for (const [i, other] of others.entries()) {
    other.watch({
      view: ({ members }) => {
        drained[i] ||= members.some(({ id, draining }) => id === 'n1' && draining);
      },
      fresh: () => {},
      trouble: (error) => t.fail(error.message),
    });
  }
  await nodes[0]!.drain();
  t.same(
    drained,
    others.map(() => true),
    'though it had nobody to send on',
  );
});

t.test('the only node drains: its clients are told to come again later', async (t) => {
  const nodes = await startNodes(t, ['n1']);
  const n1 = nodes.of('n1');
  const clients = await Promise.all(['a', 'b', 'c'].map((user) => connect(t, n1, user)));
  await Promise.all([n1.drain(), n1.drain()]);
  await until('they have ended', () => clients.every(({ end }) => end));
  for (const { end, retryAfterMs } of clients) {
    t.equal(end?.code, 4000);
    t.ok(retryAfterMs >= 0 && retryAfterMs <= 1000);
  }
  t.same(nodes.membership.members(), []);
});

t.test(
  'the only node does not wait for a client that is away: nobody else will have its messages',
  async (t) => {
    const nodes = await startNodes(t, ['n1'], { drainMs: 600_000 });
    nodes.haveLinks = true;
    const n1 = nodes.of('n1');
    const edge = await connectEdge(t, n1);
    const ann = await edge.attached('ann');
    ann.detach();
    await until(
      'she is away',
      async () => (await postLines(n1, [{ user: 'ann', data: 'x' }]))[0]?.['status'] === 'queued',
    );
    let ended = false;
    void n1.drain().then(() => {
      ended = true;
    });
    await until('it has ended', () => ended);
    t.match(await until('so has the link', () => edge.end), { code: 1012 });
  },
);

t.test(
  'beside servers that are no nodes it tells its clients, and waits for nobody who is away',
  async (t) => {
    const nodes = await startNodes(t, ['n1'], { drainMs: 600_000 });
    nodes.haveLinks = true;
    nodes.membership.set({ id: 'x', port: 9, kind: 'foreign' });
    const n1 = nodes.of('n1');
    await until('they have a ring', () => n1.tracker.current.ring.members.length === 2);
    const edge = await connectEdge(t, n1);
    const [ann = '', bob = ''] = nodes.usersOf('n1', 2);
    const client = await connect(t, n1, ann);
    (await edge.attached(bob)).detach();
    await n1.drain();
    t.match(await until('the client is told', () => client.end), { code: 4000 });
  },
);

t.test('a draining node lets nobody in, and says where to go', async (t) => {
  const nodes = await startNodes(t, ['n1', 'n2'], { usersPerSecond: 1 });
  const n1 = nodes.of('n1');
  const names = nodes.usersOf('n1', 6);
  const clients = await Promise.all(names.slice(0, 5).map((user) => connect(t, n1, user)));
  const drained = n1.drain();
  await until('the ring is without it', () => n1.tracker.current.ring.members.length === 1);
  await t.rejects(connect(t, n1, names[5] ?? ''), /421/);
  t.match(await post(nodes.of('n2'), names[4] ?? '', 'still here'), { status: 200 }, 'through its new owner');
  await until('it arrives', () => clients[4]?.texts.includes('still here'));
  t.test('closed meanwhile, it is gone at once', async () => {
    await Promise.all([n1.close(), drained]);
    await until('they are cut off', () => clients.every(({ end }) => end));
    t.equal(n1.sessions, 0);
    const n2 = nodes.of('n2');
    await until('n2 has forgotten it', () => !n2.tracker.current.members.has('n1'));
    const [receipt] = await postLines(n2, [{ user: names[5] ?? '', data: 'x' }]);
    t.match(receipt, { status: 'overloaded', error: { code: 'unavailable' } }, 'who was there is awaited');
  });
});

t.test(
  'a drain whose pace is too slow for its time gets faster, and keeps what waits for clients',
  async (t) => {
    const nodes = await startNodes(t, ['n1', 'n2'], { usersPerSecond: 1, drainMs: 8000 });
    nodes.haveLinks = true;
    const [n1, n2] = [nodes.of('n1'), nodes.of('n2')];
    const edge = await connectEdge(t, n1);
    const users = nodes.usersOf('n1', 300);
    const sessions = await Promise.all(users.map((user) => edge.attached(user)));
    for (const session of sessions) session.detach();
    const everybody = users.map((user) => ({ user, data: 'x' }));
    await until('all are away, and messages wait for them', async () =>
      (await postLines(n1, everybody)).every(({ status }) => status === 'queued'),
    );
    await n1.drain();
    t.ok(n1.migration.moved >= users.length);
    t.ok(n1.migration.usersPerSecond < 1000, 'no faster than it must be');
    const other = await connectEdge(t, n2);
    const again = await Promise.all(
      sessions.map((one) =>
        other.attached(one.user, { key: one.key, epoch: 2, positions: [one.position()] }),
      ),
    );
    await until('everybody has got it', () => again.every(({ texts }) => texts.includes('x')));
    t.ok(again.every(({ attached }) => attached[0]?.recovered));
  },
);

t.test('moves that are paused hold a drain for most of its time, and nothing is lost then', async (t) => {
  const nodes = await startNodes(t, ['n1', 'n2'], { drainMs: 8000 });
  nodes.haveLinks = true;
  const [n1, n2] = [nodes.of('n1'), nodes.of('n2')];
  const edge = await connectEdge(t, n1);
  const sessions = await Promise.all(nodes.usersOf('n1', 2000).map((user) => edge.attached(user)));
  await request(n1, 'POST', '/v1/migrations', '{"paused":true}');
  const drained = n1.drain();
  await until('the ring is without it', () => n1.tracker.current.ring.members.length === 1);
  t.equal(n1.migration.moved, 0);
  const receipts = await postLines(
    n2,
    sessions.map(({ user }) => ({ user, data: 'x' })),
  );
  t.ok(receipts.every(({ status }) => status === 'delivered'));
  await drained;
  t.ok(
    sessions.every(({ repins }) => repins[0]?.to === 'n2' && repins[0].handoff !== ''),
    'each was handed over',
  );
  t.ok(sessions.every(({ texts }) => texts.join() === 'x'));
});

t.test('past its time a drain sends the rest on at once', async (t) => {
  const nodes = await startNodes(t, ['n1', 'n2'], { usersPerSecond: 1, drainMs: 100 });
  const n1 = nodes.of('n1');
  const clients = await Promise.all(nodes.usersOf('n1', 20).map((user) => connect(t, n1, user)));
  await n1.drain();
  await until('they have ended', () => clients.every(({ end }) => end));
  t.ok(clients.every(({ end }) => end?.code === 4000));
  t.equal(n1.migration.moved, 20);
  t.equal(n1.migration.waiting, 0);
  t.equal(await metric(nodes.of('n2'), 'pinwheel_node_moved_users_total'), 0);
});

/** Sends until the client's socket at the node is full; how many were delivered. */
async function fill(node: PinwheelNode, user: string): Promise<number> {
  let delivered = 0;
  const data = 'x'.repeat(65_536);
  await until('its bound is reached', async () => {
    const [receipt] = await postLines(node, [{ user, data }]);
    if (receipt?.['status'] === 'delivered') delivered++;
    return receipt?.['status'] === 'overloaded';
  });
  return delivered;
}

t.test('a client that has stopped reading gets everything before its node ends', async (t) => {
  const nodes = await startNodes(t, ['n1', 'n2']);
  const n1 = nodes.of('n1');
  const [user = '', quick = ''] = nodes.usersOf('n1', 2);
  const slow = await connect(t, n1, user);
  const reading = await connect(t, n1, quick);
  slow.socket.pause();
  const delivered = await fill(n1, user);
  let ended = false;
  const drained = n1.drain().then(() => {
    ended = true;
  });
  await until('both are gone for everybody else', () => n1.sessions === 0 && reading.end?.code === 4000);
  t.match(await post(nodes.of('n2'), user, 'x'), { status: 404 }, 'whom it has is judged without them');
  t.equal(await metric(n1, 'pinwheel_node_closes_total{reason="moved"}'), 2);
  t.notOk(ended, 'the node waits for the one that has yet to read');
  slow.socket.resume();
  await drained;
  await until('it has ended', () => slow.end);
  t.equal(slow.end?.code, 4000);
  t.equal(slow.frames.length, delivered, 'all that was called delivered');
});

t.test('what only this node can tell its application is told before it ends', async (t) => {
  const heard: string[] = [];
  const gate = new Gate();
  const nodes = await startNodes(t, ['n1', 'n2'], {
    onMessage: async ({ data }) => {
      await gate.opens();
      heard.push(String(data));
    },
    onDisconnect: async ({ code }) => {
      await gate.opens();
      heard.push(`closed with ${code}`);
    },
  });
  const n1 = nodes.of('n1');
  const [user = ''] = nodes.usersOf('n1', 1);
  const client = await connect(t, n1, user);
  const texts = Array.from({ length: 200 }, (_, i) => String(i));
  for (const text of texts) client.send(text);
  const taken = 'pinwheel_node_inbound_messages_total';
  await until('they wait', async () => (await metric(n1, taken)) === texts.length);
  let ended = false;
  const drained = n1.drain().then(() => {
    ended = true;
  });
  await until('the ring is without it', () => n1.tracker.current.ring.members.length === 1);
  await until('the user has been told to leave', () => {
    gate.open();
    return client.end?.code === 4000;
  });
  t.ok(heard.length < texts.length, 'the application is not through');
  await until('the node has ended', () => {
    gate.open();
    return ended;
  });
  await drained;
  t.same(heard, [...texts, 'closed with 4000']);
});

t.test('a client that never reads again holds a drain up to its time', async (t) => {
  const nodes = await startNodes(t, ['n1', 'n2'], { drainMs: 200 });
  const n1 = nodes.of('n1');
  const [user = ''] = nodes.usersOf('n1', 1);
  const slow = await connect(t, n1, user);
  slow.socket.pause();
  await fill(n1, user);
  await n1.drain();
  t.equal(n1.sessions, 0);
});

t.test('a second call during the wait ends it at once', async (t) => {
  const nodes = await startNodes(t, ['n1', 'n2']);
  const n1 = nodes.of('n1');
  const [user = ''] = nodes.usersOf('n1', 1);
  const slow = await connect(t, n1, user);
  slow.socket.pause();
  await fill(n1, user);
  const drained = n1.drain();
  await until('only the unread is left', () => n1.sessions === 0);
  await Promise.all([n1.close(), drained]);
  slow.socket.resume();
  await until('it is cut off', () => slow.end);
  t.equal(slow.end?.code, 1006);
});

for (const { drainMs, forwardTimeoutMs, ends } of [
  { drainMs: 60_000, forwardTimeoutMs: 4000, ends: ['delivered', 'overloaded'] },
  { drainMs: 100, forwardTimeoutMs: 60_000, ends: 'cut' },
]) {
  t.test(`a draining node answers what it is at, within its time of ${drainMs} ms`, async (t) => {
    const nodes = await startNodes(t, ['n1', 'n2'], { drainMs, forwardTimeoutMs, deadlineMs: 60_000 });
    const n1 = nodes.of('n1');
    const [then, afterwards] = [
      ['n1', 'n2', 'silent'],
      ['n2', 'silent'],
    ].map(ringOf);
    const ann = nodes
      .usersOf('n1', 50)
      .find((name) => then!.owner(name) === 'n1' && afterwards!.owner(name) === 'n2')!;
    const bob = nodes.usersOf('n1', 50).find((name) => then!.owner(name) === 'silent')!;
    const client = await connect(t, n1, ann);
    await joinSilent(t, nodes, 'silent');
    await until('it is in the ring', () => n1.tracker.current.ring.members.length === 3);
    const receipts = postLines(n1, [
      { user: ann, data: 'x' },
      { user: bob, data: 'y' },
    ]).then(
      (lines) => lines.map(({ status }) => status),
      () => 'cut',
    );
    await until('she has hers', () => client.texts.includes('x'));
    let over = false;
    const keepAsking = async () => {
      while (!over) await post(n1, bob, 'z').catch(() => {});
    };
    const asking = [1, 2, 3].map(keepAsking);
    const answers: Answer[] = [];
    const keepSending = async () => {
      const sent: Promise<void>[] = [];
      while (!over) {
        // one may wait for what a node says that never answers
        const answered = post(n1, ann, 'w').then((answer) => void answers.push(answer));
        sent.push(answered.catch(() => {}));
        await new Promise((resolve) => setTimeout(resolve, 25));
      }
      await Promise.all(sent);
    };
    asking.push(keepSending());
    const start = performance.now();
    await n1.drain();
    t.ok(performance.now() - start < 30_000, 'it does not wait for those that come later');
    over = true;
    await Promise.all(asking);
    t.same(await receipts, ends);
    if (ends !== 'cut') {
      const late = ({ text }: Answer) => text.includes('this node has left');
      t.ok(answers.some(late), 'what it could not answer any more it does not take');
      for (const answer of answers.filter(late))
        t.match(answer, { status: 503, json: { error: { code: 'unavailable' } } });
    }
    t.match(await until('she has moved', () => client.end), { code: 4000 });
  });
}

function ringOf(ids: readonly string[]) {
  return buildRing(ids.map((id) => ({ id })));
}

/** A source that takes an entry and is away from then on. */
function silentMembership(membership: InProcessMembership): Membership {
  const never = (): Promise<void> => new Promise(() => {});
  return {
    description: membership.description,
    watch: (listener) => membership.watch(listener),
    refresh: () => membership.refresh(),
    register: async (self) => {
      await membership.register(self);
      return { drain: never, leave: never };
    },
    close: async () => {},
  };
}

t.test('while the source of members is away a drain has one deadline for everything', async (t) => {
  const membership = inProcessMembership();
  t.teardown(() => membership.close());
  const node = await createNode({
    id: 'n1',
    membership: silentMembership(membership),
    tracking: quickTracking,
    drainMs: 300,
    usersPerSecond: 1,
  });
  await node.ready();
  const clients = await Promise.all(['a', 'b', 'c'].map((user) => connect(t, node, user)));
  const start = performance.now();
  const drained = node.drain();
  await until('everybody was told', () => clients.every(({ end }) => end));
  t.ok(clients.every(({ end }) => end?.code === 4000));
  await drained;
  const took = performance.now() - start;
  t.ok(took < 10_000, `${Math.round(took)} ms, not the source's deadlines one after the other`);
  await node.closed;
});
