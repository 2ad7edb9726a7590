import { Redis } from 'ioredis';
import t from 'tap';
import { startRedis } from '../../../test/kit/queues.js';
import { until } from '../../../test/kit/until.js';
import { type Route, redisRoutes } from '../src/index.js';

const redis = await startRedis(t);
const admin = new Redis(redis.url);
t.teardown(() => admin.disconnect());
const deadlineMs = 5000;

t.test('a route whose lease is over is not read, and goes with the next one that is written', async (t) => {
  const routes = redisRoutes(redis.url, 'over');
  t.teardown(() => routes.close());
  await routes.write('n1/1', { here: ['ann'], gone: [] }, 1, deadlineMs);
  await routes.write('n2/1', { here: ['ann'], gone: [] }, 3_600_000, deadlineMs);
  await until('one is left', async () => {
    const [found] = await routes.read(['ann'], deadlineMs);
    return (found as readonly Route[]).map(({ where }) => where).join() === 'n2/1';
  });
  await routes.write('n1/1', { here: ['ann'], gone: [] }, 1, deadlineMs);
  await until(
    'it is over',
    async () => ((await routes.read(['ann'], deadlineMs))[0] as readonly Route[]).length === 1,
  );
  await routes.write('n3/1', { here: ['ann'], gone: [] }, 3_600_000, deadlineMs);
  t.same(((await admin.call('ZRANGE', 'over.route.ann', 0, -1)) as string[]).sort(), ['n2/1', 'n3/1']);
});

t.test('a route that has been written again since it was read is not removed', async (t) => {
  const routes = redisRoutes(redis.url, 'again');
  t.teardown(() => routes.close());
  const lease = async (): Promise<string> =>
    ((await routes.read(['ann'], deadlineMs))[0] as readonly Route[])[0]!.lease;
  await routes.write('n1/1', { here: ['ann'], gone: [] }, 30_000, deadlineMs);
  const before = await lease();
  await routes.write('n1/1', { here: ['ann'], gone: [] }, 60_000, deadlineMs);
  await routes.remove('n1/1', [{ user: 'ann', lease: before }], deadlineMs);
  t.match(await routes.read(['ann'], deadlineMs), [[{ where: 'n1/1' }]]);
  await routes.remove('n1/1', [{ user: 'ann', lease: await lease() }], deadlineMs);
  t.same(await routes.read(['ann'], deadlineMs), [[]]);
});

t.test('routes that may not be read or written are a failure, and nobody is absent for that', async (t) => {
  await admin.call('ACL', 'SETUSER', 'blind', 'on', '>secret', 'resetkeys', '~other.*', '+@all');
  await admin.call(
    'ACL',
    'SETUSER',
    'halt',
    'on',
    '>secret',
    '~*',
    '+@all',
    '-zrangebyscore',
    '-zadd',
    '-zrem',
  );
  for (const name of ['blind', 'halt']) {
    const routes = redisRoutes(redis.url.replace('redis://', `redis://${name}:secret@`), 'secret');
    t.teardown(() => routes.close());
    const refused = {
      code: 'unavailable',
      message: /redis .* refused: .*(permission|can.t run this command)/,
    };
    await t.rejects(routes.read(['ann'], deadlineMs), refused, name);
    await t.rejects(routes.write('n1/1', { here: ['ann'], gone: [] }, 30_000, deadlineMs), refused);
    await t.rejects(routes.write('n1/1', { here: [], gone: ['ann'] }, 30_000, deadlineMs), refused);
  }
});

t.test('routes that are closed say so, those included that were never used', async (t) => {
  const used = redisRoutes(redis.url, 'closing');
  await used.read(['ann'], deadlineMs);
  for (const routes of [used, redisRoutes(redis.url, 'closing')]) {
    await routes.close();
    await routes.close();
    await t.rejects(routes.read(['ann'], deadlineMs), { code: 'closed', message: /routes on .* are closed/ });
  }
});
