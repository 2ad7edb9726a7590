import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '@pinwheel/bench/load/free-ports.js';
import type { Receipt } from '@pinwheel/protocol';
import { createSender, type Sender, type SenderOptions } from '@pinwheel/sender';
import { openStrategy, type StrategySettings } from '@pinwheel/strategy';
import { Redis } from 'ioredis';
import t from 'tap';
import type { Teardown } from './kit/consul.js';
import { startPinwheel } from './kit/pinwheel-process.js';
import { PlainClient } from './kit/plain-client.js';
import { startNats, startRedis, type TestQueue } from './kit/queues.js';
import { StrategyService } from './kit/strategy-service.js';
import { until } from './kit/until.js';

interface Variant {
  readonly name: string;
  readonly start: (t: Teardown) => Promise<TestQueue>;
  readonly settings: (url: string) => StrategySettings;
}

const onRedis = {
  broadcast: { name: 'broadcast on Redis', start: startRedis, settings: broadcastOn('redis') },
  registry: {
    name: 'registry on Redis',
    start: startRedis,
    // so long that no renewal puts right what a fault has broken
    settings: (redis: string): StrategySettings => ({ strategy: 'registry', redis, leaseMs: 3_600_000 }),
  },
} satisfies Record<string, Variant>;
const variants: readonly Variant[] = [
  onRedis.broadcast,
  onRedis.registry,
  { name: 'broadcast on NATS', start: startNats, settings: broadcastOn('nats') },
];
/** A receipt comes with its deadline; this machine may be busy. */
const slackMs = 1500;

t.test(
  'registry on Redis: nodes lose their subscription, and nobody is called absent for that',
  async (t) => {
    const server = await startRedis(t);
    const settings = onRedis.registry.settings(server.url);
    const service = await StrategyService.start(t, settings, ['n1']);
    const anne = await service.connectTo('n1', 'anne');
    await service.routesWritten();
    const sender = senderOf(t, settings, { deadlineMs: 5000 });
    await arrives(sender, anne, 'before');
    const redis = redisOf(t, server);
    for (let i = 0; i < 10; i++) {
      t.ok(Number(await redis.call('CLIENT', 'KILL', 'TYPE', 'pubsub')) > 0, 'a subscription is cut');
      const sends = Array.from({ length: 5 }, (_, k) => sender.send('anne', `${i} ${k}`));
      for (const { status, error } of await Promise.all(sends))
        t.equal(status, 'published', error?.message ?? '');
    }
    await arrives(sender, anne, 'after');
    const { status } = await sender.send('nobody', 'x');
    t.equal(status, 'offline');
  },
);

t.test('broadcast on NATS: messages of a queue that takes little at a time', async (t) => {
  const config = join(t.testdir({}), 'nats.conf');
  writeFileSync(config, 'max_payload: 65536\n');
  const server = await startNats(t, config);
  const sender = senderOf(t, broadcastOn('nats')(server.url), { deadlineMs: 5000 });
  const sends = Array.from({ length: 3000 }, (_, i) => sender.send(`user ${i}`, 'x'.repeat(100)));
  const statuses = new Set((await Promise.all(sends)).map(({ status, error }) => error?.message ?? status));
  t.same(statuses, new Set(['published']));
  t.match(await sender.send('anne', 'x'.repeat(100_000)), {
    status: 'overloaded',
    error: { code: 'too-large' },
  });
});

for (const { name, start, settings: settingsOf } of variants) {
  t.test(`${name}: the server is killed under messages and comes back`, async (t) => {
    const server = await start(t);
    const settings = settingsOf(server.url);
    const service = await StrategyService.start(t, settings, ['n1', 'n2']);
    const anne = await service.connectTo('n1', 'anne');
    const bert = await service.connectTo('n2', 'bert');
    await service.routesWritten();
    const deadlineMs = 1000;
    const sender = senderOf(t, settings, { deadlineMs, maxQueuedMessages: 20 });
    await arrives(sender, anne, 'before');

    let isOver = false;
    const received: Receipt[] = [];
    const flow = (async () => {
      for (let i = 0; !isOver; i++) {
        received.push(await sender.send(i % 2 === 0 ? 'anne' : 'bert', `flow ${i}`));
        await new Promise(setImmediate);
      }
    })();
    await until('messages flow', () => received.length >= 20);
    await server.stop();
    for (const id of ['n1', 'n2']) {
      await until(`${id} waits`, async () => (await readiness(service, id)).status === 503);
      t.same(await readiness(service, id), { status: 503, body: { status: 'waiting for the queue' } });
    }
    isOver = true;
    await flow;
    for (const { status, error } of received) {
      if (status !== 'published')
        t.match({ status, error }, { status: 'overloaded', error: { code: String } });
    }
    t.equal(await service.metric('pinwheel_node_queue_up'), 0);
    t.equal(await service.metric('pinwheel_node_queue_losses_total'), 2, 'one of each node');

    const began = performance.now();
    const sent = Array.from({ length: 50 }, (_, i) => sender.send('anne', `away ${i}`));
    t.equal(sender.counters().queuedMessages, 20, 'its queue stays within its bound');
    const refused = await Promise.all(sent.slice(20));
    t.ok(performance.now() - began < deadlineMs, 'the rest is told at once');
    for (const { status, error } of refused) {
      t.match(
        { status, error },
        { status: 'overloaded', error: { code: 'overloaded', message: /its bound is 20/ } },
      );
    }
    for (const { status, error } of await Promise.all(sent.slice(0, 20))) {
      const message = new RegExp(`127.0.0.1:${server.port} is away; it is being connected to again`);
      t.match({ status, error }, { status: 'overloaded', error: { code: 'unreachable', message } });
    }
    t.ok(performance.now() - began < deadlineMs + slackMs, 'within their deadline');

    await server.start();
    for (const id of ['n1', 'n2']) {
      await until(`${id} is ready`, async () => (await readiness(service, id)).status === 200);
    }
    t.equal(await service.metric('pinwheel_node_queue_up'), 2);
    await arrives(sender, anne, 'after');
    await arrives(sender, bert, 'after');
    t.same([anne.closes, bert.closes], [[], []], 'and no client noticed');
    t.notOk(
      anne.received.some((data) => data.startsWith('away')),
      'what was refused has not come',
    );
    t.equal(new Set(anne.received).size, anne.received.length, 'nothing came twice');
  });

  t.test(`${name}: the server stands still for longer than a deadline`, async (t) => {
    const server = await start(t);
    const settings = settingsOf(server.url);
    const service = await StrategyService.start(t, settings, ['n1', 'n2']);
    // by a link: what is repeated is known by its id only where a user's messages are remembered
    const anne = await service.connectByEdge('anne');
    const sender = senderOf(t, settings, { deadlineMs: 400 });
    await arrives(sender, anne, 'before');
    await server.pause();
    t.teardown(() => server.resume());
    const short = Array.from({ length: 10 }, (_, i) => sender.send('anne', `short ${i}`));
    // tried again and again, always with the same id
    const patient = Array.from({ length: 10 }, (_, i) =>
      sender.send('anne', `patient ${i}`, { deadlineMs: 15_000 }),
    );
    for (const { status, error } of await Promise.all(short)) {
      t.equal(status, 'overloaded', 'none is said to be published');
      t.ok(['deadline', 'unknown-outcome', 'unavailable'].includes(error!.code), error!.code);
      t.match(error!.message, /took more than|may have been delivered|before it was sent|is away/);
    }
    await until('a patient one was tried again', () => sender.counters().dispatch.retries >= 10);
    server.resume();
    const ends = await Promise.all(patient);
    await arrives(sender, anne, 'after');
    t.equal(new Set(anne.received).size, anne.received.length, 'nothing came twice');
    for (const [i, { status }] of ends.entries()) {
      t.equal(status, 'published');
      await until(`patient ${i} has come`, () => anne.received.includes(`patient ${i}`));
    }
  });

  t.test(`${name}: two services on one server hear nothing of each other`, async (t) => {
    const server = await start(t);
    const one = await StrategyService.start(t, { ...settingsOf(server.url), prefix: 'one' }, ['n1']);
    const other = await StrategyService.start(t, { ...settingsOf(server.url), prefix: 'other' }, ['n1']);
    const ours = await one.connectTo('n1', 'anne');
    const theirs = await other.connectTo('n1', 'anne');
    await one.routesWritten();
    await other.routesWritten();
    await arrives(one.sender, ours, 'for one');
    await one.sender.broadcast('for all of one');
    await arrives(other.sender, theirs, 'for other');
    await other.sender.broadcast('for all of other');
    await until('both have both', () => ours.received.length >= 2 && theirs.received.length >= 2);
    t.same(ours.received, ['for one', 'for all of one']);
    t.same(theirs.received, ['for other', 'for all of other']);
    const copies = (service: StrategyService) => service.metric('pinwheel_node_queue_copies_total');
    t.same([await copies(one), await copies(other)], [2, 2], 'not even what they drop');
  });

  t.test(`${name}: a sender is there before the server; a node is not`, async (t) => {
    const server = await start(t);
    await server.stop();
    const settings = settingsOf(server.url);
    const sender = senderOf(t, settings, { deadlineMs: 500 });
    await sender.ready();
    const early = await sender.send('anne', 'early');
    t.match(early, { status: 'overloaded', error: { message: new RegExp(`127.0.0.1:${server.port}`) } });
    await t.rejects(StrategyService.start(t, settings, ['n1']), {
      code: 'unavailable',
      message: new RegExp(
        `127.0.0.1:${server.port} cannot be (connected|subscribed) to: .*is it running, and is the URL right`,
      ),
    });
    await server.start();
    const service = await StrategyService.start(t, settings, ['n1']);
    const anne = await service.connectTo('n1', 'anne');
    await service.routesWritten();
    await arrives(sender, anne, 'late');
    t.match(anne.received, [/^late/]);
    t.equal(anne.received.length, 1, 'what came before is not there');
  });
}

for (const { name, start, settings: settingsOf } of [onRedis.broadcast, onRedis.registry]) {
  t.test(`${name}: nodes lose only their subscriptions`, async (t) => {
    const server = await start(t);
    const service = await StrategyService.start(t, settingsOf(server.url), ['n1', 'n2']);
    const clients = [await service.connectTo('n1', 'anne'), await service.connectTo('n2', 'bert')];
    await service.routesWritten();
    const redis = redisOf(t, server);
    // in one go: whoever sent to nodes that did not listen has taken their routes for those of nodes that are gone
    const kill = redis.multi();
    for (const { user } of clients) kill.del(`pinwheel.route.${user}`);
    await kill.call('CLIENT', 'KILL', 'TYPE', 'pubsub').exec();
    await until(
      'both were lost',
      async () => (await service.metric('pinwheel_node_queue_losses_total')) === 2,
    );
    for (const id of ['n1', 'n2']) {
      await until(`${id} is ready`, async () => (await readiness(service, id)).status === 200);
    }
    for (const client of clients) await arrives(service.sender, client, 'again');
    for (const client of clients) t.same(client.closes, []);
  });
}

t.test(
  'registry: Redis has lost everything: nodes write whom they have, and no client does a thing',
  async (t) => {
    const server = await startRedis(t);
    const settings = onRedis.registry.settings(server.url);
    const service = await StrategyService.start(t, settings, ['n1', 'n2']);
    const users = Array.from({ length: 30 }, (_, i) => `user-${i}`);
    const clients: PlainClient[] = [];
    for (const [i, user] of users.entries()) clients.push(await service.connectTo(i % 2 ? 'n1' : 'n2', user));
    await service.routesWritten();
    await server.stop();
    await server.start();
    const redis = redisOf(t, server);
    for (const user of users) {
      await until(`${user} has a route`, async () => (await routesOf(redis, user)).length === 1);
    }
    for (const client of clients) {
      await arrives(service.sender, client, 'found');
      t.same(client.closes, []);
    }
  },
);

t.test('registry, queue on NATS: the Redis of the routes alone has lost everything', async (t) => {
  const server = await startRedis(t);
  const nats = await startNats(t);
  const settings = { ...onRedis.registry.settings(server.url), nats: nats.url };
  const service = await StrategyService.start(t, settings, ['n1']);
  const anne = await service.connectTo('n1', 'anne');
  await service.routesWritten();
  await server.stop();
  // somebody comes meanwhile, so that the node notices
  const bert = await service.connectTo('n1', 'bert');
  await until(
    'it cannot be written',
    async () => (await service.metric('pinwheel_node_routes_unwritten')) > 0,
  );
  await server.start();
  await arrives(service.sender, bert, 'who came meanwhile');
  await arrives(service.sender, anne, 'who was there before');
});

t.test('registry: a node is killed: nobody is told that its users were reached', async (t) => {
  const server = await startRedis(t);
  const redis = redisOf(t, server);
  const leaseMs = 5000;
  const node = await nodeProcess(t, [
    '--strategy',
    'registry',
    '--redis',
    server.url,
    '--lease-ms',
    `${leaseMs}`,
  ]);
  const users = ['anne', 'bert', 'carl'];
  const clients = users.map((user) => new PlainClient(t, user, `ws://127.0.0.1:${node.facts.wsPort}`));
  for (const user of users) {
    await until(`${user} has a route`, async () => (await routesOf(redis, user)).length === 1);
  }
  const sender = senderOf(t, { strategy: 'registry', redis: server.url, leaseMs });
  await arrives(sender, clients[0]!, 'while it lives');

  node.signal('SIGKILL');
  const killed = performance.now();
  t.equal(await node.exit, 'SIGKILL');
  t.match(await routesOf(redis, 'anne'), [/^n1\//], 'its route is left behind');
  const early = await sender.send('anne', 'to nobody', { deadlineMs: 300 });
  t.match(early, { status: 'overloaded', error: { code: 'unavailable' } }, 'she may be back in a moment');
  const receipt = await sender.send('anne', 'to nobody', { deadlineMs: 4000 });
  t.equal(receipt.status, 'offline', 'long before the lease ends');
  t.same(await routesOf(redis, 'anne'), [], 'and cleans up');
  t.equal(await redis.exists('pinwheel.route.anne'), 0);

  await until('the lease ends what nobody has asked for', async () => {
    const left = await Promise.all(['bert', 'carl'].map((user) => redis.exists(`pinwheel.route.${user}`)));
    return left.every((count) => count === 0);
  });
  t.ok(performance.now() - killed < leaseMs + slackMs, 'within the lease');
  t.match(await sender.send('bert', 'x'), { status: 'offline' });
});

t.test('ring with a Redis for everybody: Redis away disturbs nobody but broadcasts', async (t) => {
  const server = await startRedis(t);
  const service = await StrategyService.start(t, { strategy: 'ring', redis: server.url }, ['n1', 'n2']);
  const clients: PlainClient[] = [];
  for (let i = 0; i < 8; i++) clients.push(await service.connectByEdge(`user-${i}`));
  t.same(await service.sender.broadcast('to all'), { nodes: 2 });
  // Redis answers who publishes before it writes to who is subscribed: killed in between, it takes the post along
  for (const client of clients) {
    await until(`${client.user} has the first`, () => client.received.includes('to all'));
  }
  await server.stop();
  await until('nodes know', async () => (await service.metric('pinwheel_node_queue_up')) === 0);
  for (const { user } of clients) {
    t.match(await service.sender.send(user, 'targeted'), { status: 'delivered' });
  }
  const message = new RegExp(`redis 127.0.0.1:${server.port} (is away|cannot be connected to)`);
  await t.rejects(service.sender.broadcast('to nobody'), { code: 'unreachable', message });
  const { status, body } = await service.call('n1', 'POST', '/v1/broadcast', 'to nobody');
  t.match({ status, body }, { status: 502, body: { error: { code: 'unreachable', message } } });
  await server.start();
  await until('it works again', async () => {
    const receipt = await service.sender.broadcast('again').catch(() => undefined);
    return receipt?.nodes === 2;
  });
  for (const client of clients) {
    await until(`${client.user} has it`, () => client.received.includes('again'));
    t.same(client.received.slice(0, 2), ['to all', 'targeted']);
    t.same(client.closes, []);
  }
});

function broadcastOn(kind: 'redis' | 'nats') {
  return (url: string): StrategySettings => ({ strategy: 'broadcast', [kind]: url });
}

/** A sender with connections of its own. */
function senderOf(t: Teardown, settings: StrategySettings, options: Partial<SenderOptions> = {}): Sender {
  const { strategy, close } = openStrategy(settings);
  const sender = createSender({ strategy, ...options });
  t.teardown(async () => {
    await sender.close();
    await close();
  });
  return sender;
}

function redisOf(t: Teardown, { url }: TestQueue): Redis {
  const redis = new Redis(url);
  redis.on('error', () => {});
  t.teardown(() => redis.disconnect());
  return redis;
}

function routesOf(redis: Redis, user: string): Promise<string[]> {
  return redis.zrange(`pinwheel.route.${user}`, '0', '-1');
}

async function readiness(service: StrategyService, id: string) {
  return service.call(id, 'GET', '/readyz');
}

/** Sends until a message is published, and waits until the client has that one. */
async function arrives(sender: Sender, client: PlainClient, data: string): Promise<void> {
  let tries = 0;
  let said = '';
  await until(`${data} is published to ${client.user}`, async () => {
    said = tries++ === 0 ? data : `${data} ${tries}`;
    const receipt = await sender.send(client.user, said);
    if (receipt.status !== 'published') throw new Error(JSON.stringify(receipt));
    return true;
  });
  await until(`${client.user} has ${said}`, () => client.received.includes(said));
}

/** A real process, the only member of a static file. */
async function nodeProcess(t: Teardown, words: readonly string[]) {
  const folder = mkdtempSync(join(tmpdir(), 'pinwheel-members-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const [port, wsPort] = [await freePort(), await freePort()];
  const members = join(folder, 'members.json');
  writeFileSync(members, JSON.stringify({ members: [{ id: 'n1', address: '127.0.0.1', port, wsPort }] }));
  const ports = ['--port', String(port), '--ws-port', String(wsPort)];
  const node = await startPinwheel<{ readonly wsPort: number }>(t, [
    ...['node', '--id', 'n1', '--membership', `static:${members}`],
    ...ports,
    ...words,
  ]);
  return node;
}
