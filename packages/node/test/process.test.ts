import t from 'tap';
import { startConsul } from '../../../test/kit/consul.js';
import { startPinwheel } from '../../../test/kit/pinwheel-process.js';
import { until } from '../../../test/kit/until.js';
import { connect } from './kit/client.js';

interface Facts {
  readonly port: number;
  readonly wsPort: number;
}

async function isReady({ port }: Facts): Promise<boolean> {
  return (await fetch(`http://127.0.0.1:${port}/readyz`)).ok;
}

t.test('a node stands still, another one is started under its id, and the first one wakes up', async (t) => {
  const consul = await startConsul(t);
  const words = ['node', '--id', 'n1', '--membership', consul.url('replaced')];
  const first = await startPinwheel<Facts>(t, words);
  await until('it is ready', () => isReady(first.facts));
  const client = await connect(t, first.facts, 'ann');
  first.signal('SIGSTOP');
  const second = await startPinwheel<Facts>(t, words);
  first.signal('SIGCONT');
  t.equal(await first.exit, 0);
  await until('its client was sent on', () => client.end);
  t.match(client.end, { code: 4000 });
  t.match(
    first.log(),
    new RegExp(`id n1 is in use by 127\\.0\\.0\\.1:${second.facts.port}: this process was replaced`),
  );
  const entries = (await consul.api('GET', '/v1/catalog/service/replaced')) as { ServicePort: number }[];
  t.match(entries, [{ ServicePort: second.facts.port }], 'the entry of the second one stays');
  t.match(await (await fetch(`http://127.0.0.1:${second.facts.port}/healthz`)).json(), { status: 'ok' });
  t.test('a third one is refused', async (t) => {
    const third = startPinwheel<Facts>(t, words);
    const message = `id n1 is in use by 127\\.0\\.0\\.1:${second.facts.port}; stop that node or choose another id`;
    await t.rejects(third, { message: new RegExp(message) });
  });
});

t.test('SIGTERM while Consul is away', async (t) => {
  const consul = await startConsul(t);
  const words = ['node', '--id', 'n1', '--membership', consul.url('away'), '--drain-ms', '1000'];
  const node = await startPinwheel<Facts>(t, words);
  await until('it is ready', () => isReady(node.facts));
  const client = await connect(t, node.facts, 'ann');
  await consul.pause();
  t.teardown(() => consul.resume());
  const start = performance.now();
  node.signal('SIGTERM');
  await until('its client was sent on', () => client.end);
  t.match(client.end, { code: 4000 });
  t.equal(await node.exit, 0);
  const took = Math.round(performance.now() - start);
  t.ok(took < 10_000, `${took} ms: the deadlines of the source are not added up`);
});
