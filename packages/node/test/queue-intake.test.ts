import { everybodyFrame, PinwheelError } from '@pinwheel/protocol';
import t from 'tap';
import { HandQueue, postOf } from '../../../test/kit/hand-queue.js';
import { until } from '../../../test/kit/until.js';
import { recordedLog } from '../../membership/test/recorded-log.js';
import { connect } from './kit/client.js';
import { startNodes, type Teardown } from './kit/nodes.js';
import { metric, request } from './kit/requests.js';

async function stage(t: Teardown) {
  const queue = new HandQueue();
  const log = recordedLog();
  const nodes = await startNodes(t, ['n1'], { strategy: { name: 'broadcast', queue }, log });
  return { queue, log, node: nodes.of('n1') };
}

t.test('posts that nobody can read are counted, named once, and disturb nobody', async (t) => {
  const { queue, log, node } = await stage(t);
  const anne = await connect(t, node, 'anne');
  queue.post(postOf({ data: 'before' }));
  const good = postOf({ data: 'good' }, { data: 'after it' });
  const unreadable = [
    Buffer.from('hello'),
    Buffer.alloc(0),
    Buffer.from('PWQ\u0002\u0001'),
    Buffer.from('PWQ\u0001\u0009'),
    // cut off in its second message: nothing of it is delivered
    good.subarray(0, good.length - 1),
    everybodyFrame(Buffer.of(0xff), false),
  ];
  for (const bytes of unreadable) queue.post(bytes);
  queue.post(postOf({ data: 'after' }));
  await until('the others have come', () => anne.texts.includes('after'));
  t.same(anne.texts, ['before', 'after']);
  t.equal(await metric(node, 'pinwheel_node_queue_unreadable_total'), unreadable.length);
  const lines = log.lines.filter((line) => line.startsWith('a post cannot be read'));
  t.equal(lines.length, 1);
  t.match(lines[0], /a queue by hand.*does not begin with PWQ/);
});

t.test('what is for users who are elsewhere is passed over and counted', async (t) => {
  const { queue, node } = await stage(t);
  const anne = await connect(t, node, 'anne');
  const bert = await connect(t, node, 'bert');
  queue.post(
    postOf({ user: 'zoe' }, { data: '1' }, { user: 'carl' }, { user: 'bert', data: '2' }, { data: '3' }),
  );
  queue.post(postOf({ user: 'zoe' }));
  await until('both have theirs', () => anne.frames.length === 2 && bert.frames.length === 1);
  t.same([anne.texts, bert.texts], [['1', '3'], ['2']]);
  t.equal(await metric(node, 'pinwheel_node_queue_copies_total{user="here"}'), 3);
  t.equal(await metric(node, 'pinwheel_node_queue_copies_total{user="elsewhere"}'), 3);
  t.equal(await metric(node, 'pinwheel_node_forwarded_total'), 0, 'nobody is asked for them');
});

t.test(
  'a node that takes whoever comes keeps them until it leaves the ring, and its plan says so',
  async (t) => {
    const strategy = { name: 'broadcast', queue: new HandQueue() } as const;
    const nodes = await startNodes(t, ['n1', 'n2'], { strategy });
    const n1 = nodes.of('n1');
    for (const user of [...nodes.usersOf('n1', 3), ...nodes.usersOf('n2', 2)]) await connect(t, n1, user);
    const plan = async (query: string) => (await request(n1, 'GET', `/v1/ring/plan?${query}`)).json;
    t.match(await plan('add=n3:100'), { users: 5, moving: 0, to: {} });
    t.match(await plan('remove=n2'), { users: 5, moving: 0, to: {} });
    t.match(await plan('remove=n1'), { users: 5, moving: 5, to: { n2: 5 } });
    await nodes.start('n3', { strategy });
    await until('n3 is in the ring', () => n1.tracker.current.ring.members.length === 3);
    t.match((await request(n1, 'GET', '/v1/migrations')).json, { waiting: 0, users: 5 });
  },
);

t.test('what is for everybody comes to every session, in the kind of frame asked for', async (t) => {
  const { queue, node } = await stage(t);
  t.same(queue.topics, ['pinwheel.broadcast']);
  const users = ['anne', 'anne', 'bert'];
  const clients = await Promise.all(users.map((user) => connect(t, node, user)));
  queue.post(everybodyFrame(Buffer.from('grüße'), false));
  queue.post(everybodyFrame(Buffer.of(0, 255), true));
  for (const client of clients) {
    await until('both have come', () => client.frames.length === 2);
    t.same(client.frames, [
      { data: Buffer.from('grüße'), binary: false },
      { data: Buffer.of(0, 255), binary: true },
    ]);
  }
});

t.test('messages for everybody come in their order, and what waits has a bound', async (t) => {
  const { queue, log, node } = await stage(t);
  const large = everybodyFrame(Buffer.alloc(1_000_000), true);
  for (let i = 0; i < 20; i++) queue.post(large);
  await until('all have been read', async () => {
    return (await metric(node, 'pinwheel_node_queue_copies_total{user="here"}')) === 20;
  });
  t.equal(await metric(node, 'pinwheel_node_queue_broadcasts_dropped_total'), 4, '16 of 1 MB are held');
  const lines = log.lines.filter((line) => line.startsWith('too many messages for everybody'));
  t.equal(lines.length, 1);
  const anne = await connect(t, node, 'anne');
  const numbers = Array.from({ length: 300 }, (_, i) => String(i));
  for (const number of numbers) queue.post(everybodyFrame(Buffer.from(number), false));
  await until('all have come', () => anne.texts.length === numbers.length);
  t.same(anne.texts, numbers);
  t.equal(await metric(node, 'pinwheel_node_queue_broadcasts_dropped_total'), 4, 'those before have ended');
});

t.test('the queue is away and comes back: the node is not ready meanwhile, and says why', async (t) => {
  const { queue, log, node } = await stage(t);
  await until('it is ready', async () => (await request(node, 'GET', '/readyz')).status === 200);
  const anne = await connect(t, node, 'anne');
  const [listener] = queue.listeners;
  listener!.away(new PinwheelError('unavailable', 'it has gone'));
  t.match(await request(node, 'GET', '/readyz'), { status: 503, json: { status: 'waiting for the queue' } });
  t.match(await request(node, 'GET', '/healthz'), { status: 200 });
  t.equal(await metric(node, 'pinwheel_node_queue_up'), 0);
  t.equal(await metric(node, 'pinwheel_node_queue_losses_total'), 1);
  t.ok(log.lines.some((line) => line.startsWith('the queue is away') && line.includes('it has gone')));
  listener!.back();
  t.match(await request(node, 'GET', '/readyz'), { status: 200 });
  queue.post(postOf({ data: 'after' }));
  await until('messages come again', () => anne.texts.includes('after'));
  t.equal(anne.end, undefined);
});

t.test('callers of the API are answered by the way of the strategy', async (t) => {
  const { queue, node } = await stage(t);
  const anne = await connect(t, node, 'anne');
  const path = '/v1/users/anne/messages';
  const asText = { 'content-type': 'text/plain' };
  const published = await request(node, 'POST', path, 'by the queue', asText);
  t.match(published, { status: 202, json: { user: 'anne', status: 'published' } });
  await until('it has come', () => anne.frames.length === 1);
  queue.listeners.length = 0;
  const hurried = { ...asText, 'pinwheel-deadline-ms': '300' };
  t.match(await request(node, 'POST', path, 'to nobody', hurried), {
    status: 503,
    json: {
      status: 'overloaded',
      error: { message: /no node listens to pinwheel\.broadcast on a queue by hand/ },
    },
  });
  t.match(await request(node, 'POST', '/v1/broadcast', 'to nobody', asText), {
    status: 503,
    json: { error: { code: 'unavailable', message: /no node listens/ } },
  });
});
