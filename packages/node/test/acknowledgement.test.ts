import type { Receipt } from '@pinwheel/protocol';
import t from 'tap';
import { until } from '../../../test/kit/until.js';
import type { PinwheelNode } from '../src/index.js';
import { connect } from './kit/client.js';
import { connectEdge, type FakeEdge } from './kit/fake-edge.js';
import type { FakeSession } from './kit/fake-session.js';
import { startNodes } from './kit/nodes.js';
import { type Answer, metric, post, postBatch, postLines, request } from './kit/requests.js';

const wait = { 'pinwheel-wait': 'client' };
const within = (ms: number) => ({ ...wait, 'pinwheel-deadline-ms': String(ms) });

/** What has not been answered yet. */
class Asked<T> {
  answer: T | undefined;
  readonly answered: Promise<T>;

  constructor(asking: Promise<T>) {
    this.answered = asking.then((answer) => {
      this.answer = answer;
      return answer;
    });
  }
}

function asked(node: PinwheelNode, { user, stream, seq }: Receipt, headers = {}): Asked<Answer> {
  const path = `/v1/users/${user}/acknowledgements?stream=${stream}&seq=${seq}`;
  return new Asked(request(node, 'GET', path, undefined, headers));
}

t.test('a message that waits for its clients', async (t) => {
  const nodes = await startNodes(t, ['n1'], { maxInboxMessages: 4, deadlineMs: 10_000 });
  nodes.haveLinks = true;
  const node = nodes.of('n1');
  const edge = await connectEdge(t, node);
  const posted = (user: string, headers: Record<string, string> = wait) =>
    new Asked(post(node, user, 'x', headers));
  const has = (session: FakeSession, count = 1) =>
    until(`${session.user} has ${count}`, () => session.messages.length === count);

  t.test('is answered when the session has acknowledged it, and holds up no other message', async (t) => {
    const ann = await edge.attached('ann');
    const first = posted('ann');
    await has(ann);
    t.match(await post(node, 'ann', 'y'), { status: 200, json: { sessions: 1, seq: 2 } }, 'the next one');
    await has(ann, 2);
    t.equal(await metric(node, 'pinwheel_node_acknowledgements'), 1);
    t.equal(first.answer, undefined);
    ann.acknowledge(1);
    const { status, json } = await first.answered;
    t.equal(status, 200);
    const { stream } = ann.position();
    t.same(json, { user: 'ann', status: 'delivered', sessions: 1, stream, seq: 1 });
    t.equal(await metric(node, 'pinwheel_node_acknowledgements'), 0);
  });

  t.test(
    'waits for every session that is attached, and counts those that had it to acknowledge',
    async (t) => {
      const [one, two] = [await edge.attached('ben'), await edge.attached('ben')];
      await edge.attached('ben', { acknowledges: false });
      const client = await connect(t, node, 'ben');
      const first = posted('ben');
      await Promise.all([has(one), has(two)]);
      const late = await edge.attached('ben');
      one.acknowledge(1);
      t.match(await post(node, 'ben', 'y'), { json: { sessions: 5 } });
      t.equal(first.answer, undefined);
      two.acknowledge(1);
      t.match(await first.answered, { json: { status: 'delivered', sessions: 2 } });
      const second = posted('ben');
      await has(late, 2);
      for (const session of [one, two, late]) session.acknowledge(3);
      t.match(await second.answered, { json: { status: 'delivered', sessions: 3 } });
      t.equal(client.frames.length, 3);
    },
  );

  t.test('waits no longer for a session that closes or goes away when another one has it', async (t) => {
    const [one, two] = [await edge.attached('cat'), await edge.attached('cat')];
    const first = posted('cat');
    await Promise.all([has(one), has(two)]);
    one.acknowledge(1);
    two.detach(0);
    t.match(await first.answered, { json: { status: 'delivered', sessions: 1 } });
    const back = await edge.attached('cat', { key: two.key, epoch: 2, positions: [two.position(0)] });
    const second = posted('cat');
    await Promise.all([has(one, 2), has(back, 2)]);
    one.acknowledge(2);
    back.close();
    t.match(await second.answered, { json: { status: 'delivered', sessions: 1 } });
  });

  t.test('at the deadline counts who has it, and says that others have not', async (t) => {
    const [one, two] = [await edge.attached('dan'), await edge.attached('dan')];
    const first = posted('dan', within(300));
    await Promise.all([has(one), has(two)]);
    two.acknowledge(1);
    t.match(await first.answered, {
      status: 200,
      json: { status: 'delivered', sessions: 1, error: { code: 'deadline', message: /^1 more attached/ } },
    });
  });

  t.test('is queued when nobody has it by the deadline and it is kept', async (t) => {
    const eve = await edge.attached('eve');
    const silent = posted('eve', within(100));
    t.match(await silent.answered, { status: 202, json: { status: 'queued', seq: 1 } }, 'she is silent');
    eve.detach(0);
    const away = await post(node, 'eve', 'x', within(100));
    t.match(away, { status: 202, json: { status: 'queued', seq: 2 } }, 'she is away');
    t.match(
      await post(node, 'eve', 'x'),
      { status: 202, json: { status: 'queued', seq: 3 } },
      'without wait',
    );
    const bridged = posted('eve');
    await until('it is kept', async () => (await metric(node, 'pinwheel_node_acknowledgements')) === 1);
    const back = await edge.attached('eve', { key: eve.key, epoch: 2, positions: [eve.position(0)] });
    await has(back, 4);
    back.acknowledge(4);
    t.match(await bridged.answered, { status: 200, json: { status: 'delivered', sessions: 1, seq: 4 } });
  });

  t.test('is overloaded when nobody has it by the deadline and it is kept no more', async (t) => {
    const fay = await edge.attached('fay');
    const lost = posted('fay', within(300));
    await has(fay);
    for (let i = 0; i < 4; i++) await post(node, 'fay', 'y');
    t.match(await lost.answered, {
      status: 503,
      json: { status: 'overloaded', seq: 1, error: { code: 'deadline', message: /nobody has acknowledged/ } },
    });
  });

  t.test('is answered at once when nobody is there who could acknowledge it', async (t) => {
    const unknown = {
      status: 503,
      json: {
        status: 'overloaded',
        error: { code: 'unknown-outcome', message: /^the message was taken, and/ },
      },
    };
    const client = await connect(t, node, 'gus');
    t.match(await post(node, 'gus', 'x', wait), unknown, 'a client without an edge');
    t.equal((await post(node, 'nobody', 'x', wait)).status, 404, 'nobody at all');
    await until('it was written all the same', () => client.frames.length === 1);
    const plain = await edge.attached('hal', { acknowledges: false, acknowledgesAtOnce: true });
    t.match(await post(node, 'hal', 'x', wait), unknown, 'a client without the subprotocol');
    const ida = await edge.attached('ida');
    const left = posted('ida');
    await has(ida);
    ida.close();
    t.match(await left.answered, unknown, 'the only one has left');
    await has(plain);
  });

  t.test('in a batch of lines holds up the answer alone', async (t) => {
    const [jan, kim] = [await edge.attached('jan'), await edge.attached('kim')];
    const lines = [
      { user: 'jan', data: '1', wait: 'client' },
      { user: 'kim', data: '2' },
      { user: 'nobody', data: 'x', wait: 'client' },
      '{',
      { user: 'kim', data: '3', wait: 'client' },
    ];
    const batch = new Asked(postLines(node, lines));
    await Promise.all([has(jan), has(kim, 2)]);
    t.match(await post(node, 'kim', 'y'), { status: 200 });
    kim.acknowledge(2);
    t.equal(batch.answer, undefined);
    jan.acknowledge(1);
    const receipts = await batch.answered;
    t.match(receipts, [
      { user: 'jan', status: 'delivered', sessions: 1, seq: 1 },
      { user: 'kim', status: 'delivered', sessions: 1 },
      { user: 'nobody', status: 'offline' },
      { error: { code: 'bad-request' } },
      { user: 'kim', status: 'delivered', sessions: 1, seq: 2 },
    ]);
    t.notOk('seq' in receipts[1]!, 'who does not wait has no need of the place');
  });

  t.test('in a binary batch is answered at once with its place, which can be asked about', async (t) => {
    const lea = await edge.attached('lea');
    const message = { user: 'lea', data: 'x', binary: false, id: 'a', waitForClient: true, repeated: false };
    const { stream } = lea.position();
    const place = { user: 'lea', status: 'delivered', sessions: 1, stream, seq: 1 } as const;
    t.same(await postBatch(node, [message]), [place]);
    t.same(await postBatch(node, [{ ...message, repeated: true }]), [place], 'sent again');
    await has(lea);
    const before = await metric(node, 'pinwheel_node_requests_total{kind="acknowledgement"}');
    const question = asked(node, place);
    await until('it waits', async () => (await metric(node, 'pinwheel_node_acknowledgements')) === 1);
    lea.acknowledge(1);
    t.match(await question.answered, { status: 200, json: place });
    t.match(await asked(node, place).answered, { status: 200, json: place }, 'asked again');
    const unknown = asked(node, { ...place, stream: 'other' });
    t.match(await unknown.answered, {
      status: 503,
      json: { error: { code: 'unknown-outcome', message: /another stream/ } },
    });
    const late = asked(node, { ...place, seq: 2 }, { 'pinwheel-deadline-ms': '50' });
    t.match(await late.answered, { status: 503, json: { error: { code: 'deadline' } } }, 'never sent');
    lea.close();
    await until('she has left', () => gone(node, 'lea'));
    const gonePlace = asked(node, place);
    t.match(await gonePlace.answered, {
      json: { error: { code: 'unknown-outcome', message: /no session any more/ } },
    });
    t.equal(await metric(node, 'pinwheel_node_requests_total{kind="acknowledgement"}'), before + 5);
  });

  t.test('a question that cannot be read is refused with what is wrong', async (t) => {
    for (const [query, message] of [
      ['', /^stream has 0 characters; it must have 1 to 64/],
      ['stream=%ff&seq=1', /^parameter stream/],
      [`stream=${'x'.repeat(65)}&seq=1`, /^stream has 65/],
      ['stream=s', /^seq is ""; it must be a whole number between 1 and 4294967295/],
      ['stream=s&seq=0', /^seq is "0"/],
      ['stream=s&seq=-1', /^seq is "-1"/],
      ['stream=s&seq=4294967296', /^seq is "4294967296"/],
    ] as const) {
      const refused = await request(node, 'GET', `/v1/users/lea/acknowledgements?${query}`);
      t.match(refused, { status: 400, json: { error: { code: 'bad-request', message } } }, query);
    }
    t.equal((await request(node, 'POST', '/v1/users/lea/acknowledgements')).status, 405);
  });
});

async function gone(node: PinwheelNode, user: string): Promise<boolean> {
  return (await request(node, 'GET', `/v1/users/${user}`)).json['online'] === false;
}

t.test('with several nodes', async (t) => {
  const nodes = await startNodes(t, ['n1', 'n2'], { deadlineMs: 10_000 });
  nodes.haveLinks = true;
  const [n1, n2] = [nodes.of('n1'), nodes.of('n2')];
  const edges = new Map<string, FakeEdge>();
  for (const node of [n1, n2]) edges.set(node.id, await connectEdge(t, node));

  t.test(
    'a message through a node that does not hold the user is waited for where the user is',
    async (t) => {
      const users = nodes.usersOf('n2', 100);
      const sessions = await Promise.all(users.map((user) => edges.get('n2')!.attached(user)));
      const [user = ''] = users;
      const single = new Asked(post(n1, user, 'x', wait));
      const lines = new Asked(
        postLines(
          n1,
          users.map((to) => ({ user: to, data: 'x', wait: 'client' })),
        ),
      );
      await until('they have it', () =>
        sessions.every(({ messages }, i) => messages.length === (i === 0 ? 2 : 1)),
      );
      t.equal(single.answer, undefined);
      // more than there are connections for questions, and the first ones are answered last
      for (const session of [...sessions].reverse()) session.acknowledge(session.messages.length);
      t.match(await single.answered, { status: 200, json: { status: 'delivered', sessions: 1, seq: 1 } });
      t.ok(
        (await lines.answered).every(({ status, sessions: count }) => status === 'delivered' && count === 1),
      );
      const place = { user, ...sessions[0]!.position(1) } as Receipt;
      t.match(await asked(n1, place, { 'pinwheel-no-forward': '1' }).answered, {
        status: 421,
        json: { status: 'not-owner', owner: 'n2' },
      });
      t.match(await asked(n1, place, { 'pinwheel-hops': '2' }).answered, { status: 421 });
      t.match(await asked(n1, place).answered, { status: 200, json: { sessions: 1 } });
    },
  );

  t.test('silent clients behind a node that is asked do not hold up those that answer', async (t) => {
    const users = nodes.usersOf('n2', 300).slice(100);
    const sessions = await Promise.all(users.map((user) => edges.get('n2')!.attached(user)));
    const silent = new Asked(
      postLines(
        n1,
        users.slice(0, 190).map((user) => ({ user, data: 'x', wait: 'client' })),
        { 'pinwheel-deadline-ms': '8000' },
      ),
    );
    await until('they have it', () => sessions.slice(0, 190).every(({ messages }) => messages.length === 1));
    const answered = new Asked(
      postLines(
        n1,
        users.slice(190).map((user) => ({ user, data: 'y', wait: 'client' })),
      ),
    );
    await until('they have it', () => sessions.slice(190).every(({ messages }) => messages.length === 1));
    for (const session of sessions.slice(190)) session.acknowledge(1);
    t.ok((await answered.answered).every(({ status }) => status === 'delivered'));
    t.equal(silent.answer, undefined);
    for (const session of sessions) session.acknowledge(1);
    t.ok((await silent.answered).every(({ status }) => status === 'delivered'));
  });
});

t.test('a user moves while a message waits: the receipt follows', async (t) => {
  const nodes = await startNodes(t, ['n1'], { deadlineMs: 10_000 });
  nodes.haveLinks = true;
  const n1 = nodes.of('n1');
  const edge = await connectEdge(t, n1);
  const users = Array.from({ length: 40 }, (_, i) => `u${i}`);
  const sessions = await Promise.all(users.map((user) => edge.attached(user)));
  const waits = sessions.map(({ user }) => new Asked(post(n1, user, 'x', wait)));
  const batch = users.map((user) => ({
    user,
    data: 'y',
    binary: false,
    id: 'b',
    waitForClient: true,
    repeated: false,
  }));
  await until('they have it', () => sessions.every(({ messages }) => messages.length === 1));
  const places = await postBatch(n1, batch);
  await until('they have both', () => sessions.every(({ messages }) => messages.length === 2));

  const n2 = await nodes.start('n2');
  await nodes.agree(['n1', 'n2']);
  const leaving = sessions.filter(({ user }) => nodes.ownerOf(user) === n2);
  t.ok(leaving.length > 5);
  await until('they are sent on', () => leaving.every(({ repins }) => repins[0]?.to === 'n2'));
  const second = await connectEdge(t, n2);
  const questions = places.map((place) => asked(n1, place));
  const moved = await Promise.all(
    leaving.map(({ user, key, repins, ...session }) => {
      const positions = [{ stream: session.attached[0]!.stream, seq: 2 }];
      return second.attached(user, { key, handoff: repins[0]!.handoff, positions });
    }),
  );
  t.ok(waits.every(({ answer }) => answer === undefined));
  const stayed = sessions.filter((session) => !leaving.includes(session));
  for (const session of [...moved, ...stayed]) session.acknowledge(2);
  for (const each of [...waits, ...questions]) {
    t.match(await each.answered, { status: 200, json: { status: 'delivered', sessions: 1 } });
  }
  t.ok(
    moved.every(({ messages }) => messages.length === 0),
    'nobody got anything twice',
  );
});

t.test('a message whose asker has gone is waited for no longer', async (t) => {
  const nodes = await startNodes(t, ['n1']);
  nodes.haveLinks = true;
  const node = nodes.of('n1');
  const ann = await (await connectEdge(t, node)).attached('ann');
  const { json } = await post(node, 'ann', 'x');
  const { stream, seq } = json as unknown as Receipt;
  const waiting = () => metric(node, 'pinwheel_node_acknowledgements');
  const line = '{"user":"ann","data":"x","wait":"client"}\n';
  const callers: readonly (readonly [string, string, string | undefined, number])[] = [
    ['GET', `users/ann/acknowledgements?stream=${stream}&seq=${seq}`, undefined, 1],
    ['POST', 'users/ann/messages', 'x', 1],
    ['POST', 'messages', line.repeat(20), 20],
  ];
  let messages = 1;
  for (const [method, path, body, waits] of callers) {
    const caller = new AbortController();
    const asking = fetch(`http://127.0.0.1:${node.port}/v1/${path}`, {
      method,
      headers: { 'content-type': 'application/x-ndjson', ...within(60_000) },
      ...(body === undefined ? {} : { body }),
      signal: caller.signal,
    });
    await until(`${path} waits`, async () => (await waiting()) === waits);
    caller.abort();
    await t.rejects(asking);
    await until(`nobody waits for ${path}`, async () => (await waiting()) === 0);
    if (method === 'POST') messages += waits;
  }
  t.equal(ann.messages.length, messages, 'and they were delivered');
});

t.test('a node that is closed waits for nobody', async (t) => {
  const nodes = await startNodes(t, ['n1']);
  nodes.haveLinks = true;
  const node = nodes.of('n1');
  const ann = await (await connectEdge(t, node)).attached('ann');
  const posted = post(node, 'ann', 'x', within(60_000));
  await until('it waits', () => ann.messages.length === 1);
  const refused = t.rejects(posted, 'the caller is cut off');
  await node.close();
  await refused;
});
