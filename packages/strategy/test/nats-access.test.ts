import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { startNats } from '../../../test/kit/queues.js';
import { until } from '../../../test/kit/until.js';
import { natsQueue, type QueueListener } from '../src/index.js';

const deadlineMs = 5000;
const folder = t.testdir({});

class Heard implements QueueListener {
  readonly texts: string[] = [];
  aways = 0;
  backs = 0;

  message(bytes: Buffer): void {
    this.texts.push(String(bytes));
  }

  away(): void {
    this.aways++;
  }

  back(): void {
    this.backs++;
  }
}

const posts = (...topics: readonly string[]) => topics.map((topic) => ({ topic, bytes: Buffer.from('x') }));

t.test('a server with a name and a password, or a token', async (t) => {
  for (const [authorization, secret] of [
    ['{ user: ann, password: "p@ss:w/rd" }', 'ann:p%40ss%3Aw%2Frd'],
    ['{ token: "s3cret" }', 's3cret'],
  ] as const) {
    const config = join(folder, 'secret.conf');
    writeFileSync(config, `authorization ${authorization}\n`);
    const { port } = await startNats(t, config);
    const good = natsQueue(`nats://${secret}@127.0.0.1:${port}`);
    const bad = natsQueue(`nats://nobody:x@127.0.0.1:${port}`);
    t.teardown(() => Promise.all([good.close(), bad.close()]));
    const heard = new Heard();
    await good.subscribe(['a'], heard, deadlineMs);
    t.match(await good.publish(posts('a'), deadlineMs), [{ kind: 'taken' }]);
    await until('it is heard', () => heard.texts.length === 1);
    t.match(await bad.publish(posts('a'), deadlineMs), [{ kind: 'failed', error: { code: 'unreachable' } }]);
    t.notOk(good.description.includes(secret.slice(0, 3)), 'no secret is told');
  }
});

t.test('tls: is not content without TLS', async (t) => {
  const { port } = await startNats(t);
  const queue = natsQueue(`tls://127.0.0.1:${port}`);
  t.teardown(() => queue.close());
  t.match(await queue.publish(posts('a'), deadlineMs), [
    { kind: 'failed', error: { code: 'unreachable', message: /does not support 'tls'/ } },
  ]);
});

t.test('a server that refuses a connection for a while is connected to again', async (t) => {
  const [config, log] = [join(folder, 'refusing.conf'), join(folder, 'refusing.log')];
  const write = (more: string) => writeFileSync(config, `log_file: "${log}"\n${more}\n`);
  write('');
  const server = await startNats(t, config);
  const queue = natsQueue(server.url);
  t.teardown(() => queue.close());
  const heard = new Heard();
  await queue.subscribe(['a'], heard, deadlineMs);
  await server.stop();
  write('authorization { user: other, password: x }');
  await server.start();
  const refusals = () => readFileSync(log, 'utf8').match(/authentication error/g)?.length ?? 0;
  await until('it has refused several times', () => refusals() >= 4, { deadlineMs: 30_000 });
  await server.stop();
  write('');
  await server.start();
  await until('it is back', () => heard.backs === 1, { deadlineMs: 30_000 });
  t.match(await queue.publish(posts('a'), deadlineMs), [{ kind: 'taken' }]);
  await until('it is heard', () => heard.texts.length === 1);
});

t.test(
  'what this user may not do for a while it may do again afterwards, without a new connection',
  async (t) => {
    const config = join(folder, 'changing.conf');
    const allow = (may: string) =>
      writeFileSync(config, `authorization { users: [{ user: ann, password: x, permissions: ${may} }] }\n`);
    const everything = '{ publish: [">"], subscribe: [">"] }';
    allow(everything);
    const server = await startNats(t, config);
    const reload = (may: string) => {
      allow(may);
      process.kill(server.pid, 'SIGHUP');
    };
    const queue = natsQueue(`nats://ann:x@127.0.0.1:${server.port}`);
    t.teardown(() => queue.close());
    const heard = new Heard();
    const other = new Heard();
    await queue.subscribe(['a', 'b'], heard, deadlineMs);
    await queue.subscribe(['c'], other, deadlineMs);

    reload('{ publish: ["b"], subscribe: ["b", "c", "_INBOX.>"] }');
    await until('the listener is told that it hears nothing', () => heard.aways === 1);
    t.match(await queue.publish(posts('a', 'b'), deadlineMs), [
      { kind: 'failed', error: { code: 'unavailable', message: /ermissions Violation/i } },
      { kind: 'taken' },
    ]);
    reload(everything);
    await until('it hears again', () => heard.backs === 1);
    await until('it may be posted', async () => {
      const [posted] = await queue.publish(posts('a'), deadlineMs);
      return posted!.kind === 'taken';
    });
    await until('both are heard, once each', () => heard.texts.length === 2);
    t.same(
      { aways: other.aways, texts: other.texts.length },
      { aways: 0, texts: 0 },
      'others are not disturbed',
    );
  },
);

t.test(
  'a listener that is refused while its server is started anew is not back before it hears',
  async (t) => {
    const config = join(folder, 'restarted.conf');
    const allow = (may: string) =>
      writeFileSync(config, `authorization { users: [{ user: ann, password: x, permissions: ${may} }] }\n`);
    allow('{ publish: [">"], subscribe: [">"] }');
    const server = await startNats(t, config);
    const queue = natsQueue(`nats://ann:x@127.0.0.1:${server.port}`);
    t.teardown(() => queue.close());
    const heard = new Heard();
    await queue.subscribe(['a'], heard, deadlineMs);
    const restart = async (may: string) => {
      await server.stop();
      allow(may);
      await server.start();
      await until('it posts again', async () => (await queue.publish(posts('b'), 1000))[0]!.kind === 'taken');
    };
    await restart('{ publish: [">"], subscribe: ["_INBOX.>"] }');
    t.same({ aways: heard.aways, backs: heard.backs }, { aways: 1, backs: 0 });
    await restart('{ publish: [">"], subscribe: [">"] }');
    await until('it is back', () => heard.backs === 1);
    await queue.publish(posts('a'), deadlineMs);
    await until('it hears', () => heard.texts.length === 1);
  },
);

t.test('what this user may not do is said', async (t) => {
  const config = join(folder, 'permissions.conf');
  const permissions = '{ publish: ["a.>"], subscribe: ["a.>", "_INBOX.>"] }';
  writeFileSync(
    config,
    `authorization { users: [{ user: ann, password: x, permissions: ${permissions} }] }\n`,
  );
  const { port } = await startNats(t, config);
  const queue = natsQueue(`nats://ann:x@127.0.0.1:${port}`);
  t.teardown(() => queue.close());
  const refused = new Heard();
  await t.rejects(queue.subscribe(['a.1', 'b.1'], refused, deadlineMs), {
    code: 'unavailable',
    message: /ermissions Violation/i,
  });
  const heard = new Heard();
  await queue.subscribe(['a.2'], heard, deadlineMs);
  for (const time of ['first', 'second']) {
    t.match(
      await queue.publish(posts('a.2', 'b.2', 'a.2'), deadlineMs),
      [
        { kind: 'taken' },
        { kind: 'failed', error: { code: 'unavailable', message: /ermissions Violation/i } },
        { kind: 'taken' },
      ],
      `the ${time} time`,
    );
  }
  await until('what may be is heard', () => heard.texts.length === 4);
  t.equal(heard.aways, 0);
  await queue.publish(posts('a.1', 'a.2'), deadlineMs);
  await until('what came later, too', () => heard.texts.length === 5);
  t.same(refused, new Heard(), 'who may not hear all hears nothing');
});
