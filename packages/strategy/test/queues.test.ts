import { type AddressInfo, createServer, type Socket } from 'node:net';
import t, { type Test } from 'tap';
import { startNats, startRedis } from '../../../test/kit/queues.js';
import { until } from '../../../test/kit/until.js';
import {
  natsQueue,
  type Post,
  type Queue,
  type QueueListener,
  type Route,
  redisQueue,
  redisRoutes,
} from '../src/index.js';

const redis = await startRedis(t);
const nats = await startNats(t);
const deadlineMs = 5000;

const kinds = [
  { name: 'Redis', url: redis.url, open: redisQueue, start: startRedis, countsListeners: true },
  { name: 'NATS', url: nats.url, open: natsQueue, start: startNats, countsListeners: false },
] as const;

/** Keeps what it hears. */
class Heard implements QueueListener {
  readonly messages: Buffer[] = [];
  aways = 0;
  backs = 0;

  message(bytes: Buffer): void {
    this.messages.push(bytes);
  }

  away(): void {
    this.aways++;
  }

  back(): void {
    this.backs++;
  }

  get texts(): readonly string[] {
    return this.messages.map(String);
  }
}

/** A connection of its own to the Redis of all tests. */
async function redisAdmin(t: Test) {
  const { Redis } = await import('ioredis');
  const admin = new Redis(redis.url);
  t.teardown(() => admin.disconnect());
  return admin;
}

/** A server of the test's own, and somebody who hears what is posted there on `topic`. */
async function ofItsOwn(t: Test, { open, start }: (typeof kinds)[number]) {
  const server = await start(t);
  const queue = open(server.url);
  t.teardown(() => queue.close());
  const heard = new Heard();
  await queue.subscribe(['topic'], heard, deadlineMs);
  return { server, queue, heard };
}

/** Routes, ann's among them, on a Redis that answers no more. */
async function routesOfPaused(t: Test) {
  const server = await startRedis(t);
  const routes = redisRoutes(server.url, 'test');
  t.teardown(() => routes.close());
  await routes.write('n1/1', { here: ['ann'], gone: [] }, 30_000, deadlineMs);
  await server.pause();
  return { server, routes };
}

function post(topic: string, text: string): Post {
  return { topic, bytes: Buffer.from(text) };
}

for (const { name, url, open, countsListeners } of kinds) {
  t.test(name, async (t) => {
    const queues: Queue[] = [];
    const opened = (): Queue => {
      const queue = open(url);
      queues.push(queue);
      return queue;
    };
    t.teardown(() => Promise.all(queues.map((queue) => queue.close())));
    const taken = (receivers: number) => ({
      kind: 'taken',
      receivers: countsListeners ? receivers : undefined,
    });

    t.test('each publisher is heard in its order, by every listener', async (t) => {
      const publishers = [opened(), opened(), opened()];
      const listeners = [new Heard(), new Heard()];
      for (const heard of listeners) await opened().subscribe(['order'], heard, deadlineMs);
      await Promise.all(
        publishers.map(async (queue, who) => {
          for (let i = 0; i < 100; i += 4) {
            const posts = [0, 1, 2, 3].map((k) => post('order', `${who} ${i + k}`));
            t.same(await queue.publish(posts, deadlineMs), Array(4).fill(taken(2)));
          }
        }),
      );
      for (const heard of listeners) {
        await until('all is heard', () => heard.messages.length >= 300);
        for (const who of [0, 1, 2]) {
          const own = heard.texts.filter((text) => text.startsWith(`${who} `));
          t.same(
            own,
            Array.from({ length: 100 }, (_, i) => `${who} ${i}`),
          );
        }
      }
    });

    t.test('calls that are not waited for keep their order, too', async (t) => {
      const [queue, heard] = [opened(), new Heard()];
      await queue.subscribe(['hasty'], heard, deadlineMs);
      await queue.publish([post('hasty', 'first')], deadlineMs);
      const posted = Array.from({ length: 50 }, (_, i) =>
        queue.publish([post('hasty', String(i))], deadlineMs),
      );
      await Promise.all(posted);
      await until('all is heard', () => heard.messages.length >= 51);
      t.same(heard.texts, ['first', ...Array.from({ length: 50 }, (_, i) => String(i))]);
    });

    t.test('many topics in one call: each listener hears its own', async (t) => {
      const queue = opened();
      const listeners = new Map<string, Heard>();
      for (let i = 0; i < 20; i++) {
        const heard = new Heard();
        listeners.set(`many.${i}`, heard);
        await queue.subscribe([`many.${i}`], heard, deadlineMs);
      }
      const both = new Heard();
      await opened().subscribe(['many.3', 'many.4'], both, deadlineMs);
      const posts = [...listeners.keys()].map((topic) => post(topic, `for ${topic}`));
      const posted = await queue.publish([...posts, post('many.nobody', 'x')], deadlineMs);
      t.same(
        posted,
        [...listeners.keys()]
          .map((topic) => taken(topic === 'many.3' || topic === 'many.4' ? 2 : 1))
          .concat(taken(0)),
        countsListeners ? 'it says how many listened' : 'it does not say who listened',
      );
      for (const [topic, heard] of listeners) {
        await until(`${topic} is heard`, () => heard.messages.length > 0);
        t.same(heard.texts, [`for ${topic}`]);
      }
      await until('both are heard', () => both.messages.length >= 2);
      t.same(both.texts, ['for many.3', 'for many.4']);
    });

    t.test('bytes come as they were, small and large, and are the listener’s to keep', async (t) => {
      const [queue, heard] = [opened(), new Heard()];
      await queue.subscribe(['bytes'], heard, deadlineMs);
      await queue.publish([post('bytes', 'the connection is there')], deadlineMs);
      await until('it is', () => heard.messages.length === 1);
      heard.messages.length = 0;
      const sizes = [0, 1, 5, 4096, 65_535, 1_000_000];
      if (countsListeners) sizes.push(8_500_000);
      const sent = sizes.map((size, i) => Buffer.alloc(size, `${i}\r\n`));
      // a view into something larger
      const views = sent.map((bytes) => Buffer.concat([Buffer.from('before'), bytes, Buffer.from('after')]));
      const posts = views.map((bytes) => ({ topic: 'bytes', bytes: bytes.subarray(6, bytes.length - 5) }));
      t.same(new Set((await queue.publish(posts, deadlineMs)).map(({ kind }) => kind)), new Set(['taken']));
      for (const view of views) view.fill(0);
      await until('all is heard', () => heard.messages.length >= sizes.length);
      await queue.publish([post('bytes', 'z'.repeat(100_000))], deadlineMs);
      await until('and one more', () => heard.messages.length > sizes.length);
      for (const [i, bytes] of sent.entries()) t.ok(heard.messages[i]!.equals(bytes), `${sizes[i]} bytes`);
    });

    t.test('a listener ends, twice: it hears nothing more, others do', async (t) => {
      const queue = opened();
      const [ends, stays] = [new Heard(), new Heard()];
      const end = await queue.subscribe(['ending.a'], ends, deadlineMs);
      await queue.subscribe(['ending.b'], stays, deadlineMs);
      const both = [post('ending.a', '1'), post('ending.b', '1')];
      await queue.publish(both, deadlineMs);
      await until('both hear', () => ends.messages.length === 1 && stays.messages.length === 1);
      await end();
      await end();
      await until('it is gone', async () => {
        const before = ends.messages.length;
        const [first] = await queue.publish(both, deadlineMs);
        await until('the other hears', () => stays.messages.length > 1);
        return (
          (!countsListeners || (first as { receivers: number }).receivers === 0) &&
          ends.messages.length === before
        );
      });
      t.equal(ends.aways, 0, 'and is not told that the queue is away');
      const again = new Heard();
      await queue.subscribe(['ending.a'], again, deadlineMs);
      await queue.publish(both, deadlineMs);
      await until('who comes later hears', () => again.messages.length === 1);
    });

    t.test('it is closed, twice: what is published then is said to have failed', async (t) => {
      const [queue, heard] = [opened(), new Heard()];
      await queue.subscribe(['closing'], heard, deadlineMs);
      await queue.publish([post('closing', 'x')], deadlineMs);
      await queue.close();
      await queue.close();
      const why = { code: 'closed', message: `the queue on ${queue.description} is closed` };
      t.match(await queue.publish([post('closing', 'y'), post('closing', 'z')], deadlineMs), [
        { kind: 'failed', error: why },
        { kind: 'failed', error: why },
      ]);
      await t.rejects(queue.subscribe(['other'], new Heard(), deadlineMs), { message: /is closed/ });
      t.equal(heard.aways, 0, 'its listener is not told that it is away');
      const unused = opened();
      await unused.close();
      t.match(await unused.publish([post('closing', 'y')], deadlineMs), [{ kind: 'failed', error: why }]);
    });

    t.test('nothing to publish is nothing', async (t) => {
      t.same(await opened().publish([], deadlineMs), []);
    });
  });
}

t.test('NATS takes no post above its bound, which is named; those beside it are taken', async (t) => {
  const queue = natsQueue(nats.url);
  t.teardown(() => queue.close());
  const heard = new Heard();
  await queue.subscribe(['large'], heard, deadlineMs);
  t.equal(queue.maxPostBytes, 1_048_576);
  const large = { topic: 'large', bytes: Buffer.alloc(1_048_577) };
  const posted = await queue.publish([post('large', '1'), large, post('large', '2')], deadlineMs);
  const atBound = { topic: 'large', bytes: Buffer.alloc(1_048_576) };
  t.match(await queue.publish([atBound], deadlineMs), [{ kind: 'taken' }]);
  t.match(posted, [
    { kind: 'taken' },
    {
      kind: 'failed',
      error: {
        code: 'too-large',
        message: `a post has 1048577 bytes; ${queue.description} takes at most 1048576 (its max_payload)`,
      },
    },
    { kind: 'taken' },
  ]);
  await until('the others come', () => heard.messages.length === 3);
  t.same(heard.texts.slice(0, 2), ['1', '2']);
  t.equal(heard.aways, 0, 'and the connection stays');
});

t.test('Redis refuses what its rules forbid: that is said, with its words', async (t) => {
  const admin = await redisAdmin(t);
  await admin.call('ACL', 'SETUSER', 'mute', 'on', '>secret', 'resetchannels', '+@all', '~*');
  const queue = redisQueue(redis.url.replace('redis://', 'redis://mute:secret@'));
  t.teardown(() => queue.close());
  const [posted] = await queue.publish([post('forbidden', 'x')], deadlineMs);
  t.match(posted, { kind: 'failed', error: { code: 'unavailable', message: /redis .* refused: NOPERM/ } });
});

t.test('a route with a short lease takes no other with it', async (t) => {
  const admin = await redisAdmin(t);
  const routes = redisRoutes(redis.url, 'leases');
  t.teardown(() => routes.close());
  await routes.write('n1/1', { here: ['ann'], gone: [] }, 3_600_000, deadlineMs);
  await routes.write('n2/1', { here: ['ann'], gone: [] }, 30_000, deadlineMs);
  const ttlMs = await admin.pttl('leases.route.ann');
  t.ok(ttlMs > 3_000_000 && ttlMs <= 3_600_000, `${ttlMs} ms`);
});

t.test('whoever may not subscribe leaves no connection behind', async (t) => {
  const admin = await redisAdmin(t);
  await admin.call('ACL', 'SETUSER', 'deaf', 'on', '>secret', 'resetchannels', '+@all', '~*');
  const queue = redisQueue(redis.url.replace('redis://', 'redis://deaf:secret@'));
  t.teardown(() => queue.close());
  await t.rejects(queue.subscribe(['forbidden'], new Heard(), 300), {
    code: 'unavailable',
    message: /cannot be subscribed to: NOPERM .*is it running/,
  });
  await until('it is gone', async () => !String(await admin.client('LIST')).includes('user=deaf'));
});

t.test('a server that accepts connections and says nothing costs no more than the time given', async (t) => {
  const sockets: Socket[] = [];
  const silent = createServer((socket) => sockets.push(socket.resume()));
  await new Promise<void>((listening) => silent.listen(0, '127.0.0.1', listening));
  t.teardown(() => {
    for (const socket of sockets) socket.destroy();
    silent.close();
  });
  const { port } = silent.address() as AddressInfo;
  for (const [open, scheme, why] of [
    [redisQueue, 'redis', /did not answer within 50 ms/],
    [natsQueue, 'nats', /to connect took more than 50 ms/],
  ] as const) {
    const queue = open(`${scheme}://127.0.0.1:${port}`);
    const [posted] = await queue.publish([post('topic', 'x')], 50);
    t.match(posted, { kind: 'failed', error: { code: 'unreachable', message: why } });
    await queue.close();
  }
});

t.test('a connection on which nothing comes any more is lost, and its listener told once', async (t) => {
  for (const kind of kinds) {
    const { server, heard } = await ofItsOwn(t, kind);
    await server.pause();
    await until('it is told', () => heard.aways > 0, { deadlineMs: 30_000 });
    server.resume();
    await until('it is back', () => heard.backs > 0, { deadlineMs: 30_000 });
    t.same({ aways: heard.aways, backs: heard.backs }, { aways: 1, backs: 1 });
  }
});

t.test('a key that holds something else than routes is told of, and concerns nobody else', async (t) => {
  const admin = await redisAdmin(t);
  const routes = redisRoutes(redis.url, 'others');
  t.teardown(() => routes.close());
  await admin.set('others.route.bad', 'of somebody else');
  const refused = await routes.write(
    'n1/1',
    { here: ['ann', 'bad', 'ben'], gone: ['bad', 'eve'] },
    30_000,
    deadlineMs,
  );
  t.same(refused, ['bad']);
  const found = await routes.read(['ann', 'bad', 'ben', 'eve'], deadlineMs);
  t.match(found, [
    [{ where: 'n1/1' }],
    { code: 'unavailable', message: /"others\.route\.bad" on redis .* holds something else than routes/ },
    [{ where: 'n1/1' }],
    [],
  ]);
  const [ann] = found[0] as readonly Route[];
  const stale = ['bad', 'ann'].map((user) => ({ user, lease: ann!.lease }));
  await routes.remove('n1/1', stale, deadlineMs);
  t.match(await routes.read(['ann'], deadlineMs), [[]]);
  t.equal(await admin.get('others.route.bad'), 'of somebody else', 'and is left alone');
});

t.test('a command whose connection broke says why, and not which option a library has', async (t) => {
  const { server, routes } = await routesOfPaused(t);
  const read = routes.read(['ann'], 20_000);
  const why = /broke: (?!Reached the max retries)./;
  const rejected = t.rejects(read, { code: 'unknown-outcome', message: why });
  await server.stop();
  await rejected;
});

t.test(
  'a subscriber whose rights are taken away asks again, ever later, and hears again when it may',
  async (t) => {
    const admin = await redisAdmin(t);
    const rights = (channels: string): Promise<unknown> =>
      admin.call('ACL', 'SETUSER', 'ear', 'on', '>secret', 'resetchannels', ...channels.split(' '), '+@all');
    const fact = async (section: string, pattern: RegExp): Promise<number> =>
      Number(pattern.exec((await admin.call('INFO', section)) as string)?.[1] ?? 0);
    const connections = (): Promise<number> => fact('stats', /total_connections_received:(\d+)/);
    const refusals = (): Promise<number> => fact('commandstats', /cmdstat_subscribe:.*rejected_calls=(\d+)/);
    await rights('&ears');
    const queue = redisQueue(redis.url.replace('redis://', 'redis://ear:secret@'));
    t.teardown(() => queue.close());
    const heard = new Heard();
    await queue.subscribe(['ears'], heard, deadlineMs);
    const [connectionsBefore, refusalsBefore] = [await connections(), await refusals()];
    await rights('&elsewhere');
    await until('it has asked four times', async () => (await refusals()) >= refusalsBefore + 4);
    const made = (await connections()) - connectionsBefore;
    t.equal(made, 1, 'on one connection, made when Redis had cut the one before');
    t.match(heard, { aways: 1, backs: 0 });
    await rights('&ears');
    await until('it is back', () => heard.backs === 1);
    await queue.publish([post('ears', 'again')], deadlineMs);
    await until('it hears', () => heard.texts.includes('again'));
  },
);

t.test('a post with little time is late alone: those beside it are taken', async (t) => {
  for (const kind of kinds) {
    const { server, queue, heard } = await ofItsOwn(t, kind);
    await queue.publish([post('topic', 'connected')], deadlineMs);
    await server.pause();
    const patient = queue.publish([post('topic', 'patient')], 20_000);
    const [late] = await queue.publish([post('topic', 'late')], 1);
    t.match(late, { kind: 'failed', error: { code: 'deadline' } });
    server.resume();
    t.match(await patient, [{ kind: 'taken' }]);
    await until('all are heard', () => heard.messages.length === 3);
    t.same({ aways: heard.aways, texts: heard.texts }, { aways: 0, texts: ['connected', 'patient', 'late'] });
  }
});

t.test('routes that are asked for with little time cost nobody else his', async (t) => {
  const { server, routes } = await routesOfPaused(t);
  const written = routes.write('n1/1', { here: ['ben'], gone: [] }, 30_000, 20_000);
  await t.rejects(routes.read(['ann'], 1), { code: 'deadline' });
  server.resume();
  await written;
  t.match(await routes.read(['ann', 'ben'], deadlineMs), [[{ where: 'n1/1' }], [{ where: 'n1/1' }]]);
});

t.test('the first posts wait for their connection, all of them', async (t) => {
  for (const { url, open } of kinds) {
    const queue = open(url);
    t.teardown(() => queue.close());
    const first = await Promise.all(
      ['1', '2', '3'].map((text) => queue.publish([post('t', text)], deadlineMs)),
    );
    t.match(first, [[{ kind: 'taken' }], [{ kind: 'taken' }], [{ kind: 'taken' }]]);
  }
});

t.test('why Redis does not let anybody in is said each time', async (t) => {
  const server = await startRedis(t, '--requirepass', 'right');
  const queue = redisQueue(server.url.replace('redis://', 'redis://:wrong@'));
  t.teardown(() => queue.close());
  for (let i = 0; i < 3; i++) {
    t.match(await queue.publish([post('t', 'x')], deadlineMs), [
      { kind: 'failed', error: { code: 'unreachable', message: /WRONGPASS/ } },
    ]);
  }
});
