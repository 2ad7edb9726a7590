import t from 'tap';
import {
  checkStrategy,
  everybodysTopic,
  isAnywhere,
  nodeName,
  openStrategy,
  type Queue,
  type Routes,
  type Strategy,
  type StrategySettings,
  topics,
  whyNoWait,
} from '../src/index.js';

const queue: Queue = {
  description: 'no queue',
  maxPostBytes: 1,
  publish: async () => [],
  subscribe: async () => async () => {},
  close: async () => {},
};
const routes: Routes = {
  description: 'no routes',
  write: async () => [],
  read: async () => [],
  remove: async () => {},
  close: async () => {},
};

t.test('a strategy that cannot be is refused with the thing, the value and the bound', async (t) => {
  const cases: readonly (readonly [object, string])[] = [
    [{ name: 'gossip' }, 'strategy is "gossip"; it must be one of: ring, broadcast, registry'],
    [{ name: undefined }, 'strategy is undefined; it must be one of: ring, broadcast, registry'],
    [{ name: 'broadcast' }, 'the strategy broadcast needs a queue'],
    [{ name: 'registry', routes }, 'the strategy registry needs a queue'],
    [{ name: 'registry', queue }, 'the strategy registry needs routes'],
    ...['', 'a.b', 'a b', '*', '>', 'ü', 'x'.repeat(65)].map((prefix): readonly [object, string] => [
      { name: 'ring', prefix },
      `prefix is "${prefix}"; it must be 1 to 64 of the characters A-Z a-z 0-9 _ -, as topics begin with it`,
    ]),
    ...[0, -1, 1.5, Number.NaN, 16_385].map((most): readonly [object, string] => [
      { name: 'broadcast', queue, maxMessagesPerPost: most },
      `maxMessagesPerPost is ${most}; it must be a whole number between 1 and 16384`,
    ]),
    ...[0, 999, 1000.5, 3_600_001, Number.POSITIVE_INFINITY].map((leaseMs): readonly [object, string] => [
      { name: 'registry', queue, routes, leaseMs },
      `leaseMs is ${leaseMs}; it must be a whole number between 1000 and 3600000`,
    ]),
  ];
  for (const [strategy, message] of cases) {
    t.throws(() => checkStrategy(strategy as Strategy), { code: 'bad-option', message }, message);
  }
});

t.test('what is at its bounds is taken as it is', async (t) => {
  const fine: readonly Strategy[] = [
    { name: 'ring' },
    { name: 'ring', queue, prefix: 'x'.repeat(64) },
    { name: 'broadcast', queue },
    { name: 'broadcast', queue, maxMessagesPerPost: 1 },
    { name: 'broadcast', queue, maxMessagesPerPost: 16_384 },
    { name: 'registry', queue, routes, leaseMs: 1000 },
    { name: 'registry', queue, routes, leaseMs: 3_600_000 },
  ];
  for (const strategy of fine) t.equal(checkStrategy(strategy), strategy);
});

t.test('settings that lack something say what to give', async (t) => {
  const cases: readonly (readonly [StrategySettings, string])[] = [
    [{ strategy: 'broadcast' }, 'broadcast needs a queue: give --redis URL or --nats URL'],
    [{ strategy: 'registry' }, 'registry keeps its routes in a Redis: give --redis URL'],
    [
      { strategy: 'registry', nats: 'nats://127.0.0.1:1' },
      'registry keeps its routes in a Redis: give --redis URL',
    ],
    [{ strategy: 'gossip' as 'ring' }, 'strategy is "gossip"; it must be ring, broadcast or registry'],
    [
      { strategy: 'registry', redis: 'redis://127.0.0.1:1', leaseMs: 5 },
      'leaseMs is 5; it must be a whole number between 1000 and 3600000',
    ],
    [
      { strategy: 'broadcast', redis: 'redis://127.0.0.1:1', prefix: 'a.b' },
      'prefix is "a.b"; it must be 1 to 64 of the characters A-Z a-z 0-9 _ -, as topics begin with it',
    ],
  ];
  for (const [settings, message] of cases) {
    t.throws(() => openStrategy(settings), { code: 'bad-option', message }, message);
  }
});

t.test('settings make a strategy, of the queue that is named last; nothing connects', async (t) => {
  const redis = 'redis://127.0.0.1:1';
  const nats = 'nats://127.0.0.1:2';
  const opened = (settings: StrategySettings) => {
    const { strategy, close } = openStrategy(settings);
    t.teardown(close);
    return { ...strategy, queue: strategy.queue?.description };
  };
  t.match(opened({}), { name: 'ring', queue: undefined, prefix: 'pinwheel' });
  t.match(opened({ redis, prefix: 'chat' }), { name: 'ring', queue: 'redis 127.0.0.1:1', prefix: 'chat' });
  t.match(opened({ strategy: 'broadcast', nats }), { name: 'broadcast', queue: 'nats 127.0.0.1:2' });
  t.match(opened({ strategy: 'broadcast', redis, nats }), { queue: 'nats 127.0.0.1:2' });
  t.match(opened({ strategy: 'registry', redis, nats, leaseMs: 5000 }), {
    name: 'registry',
    queue: 'nats 127.0.0.1:2',
    routes: { description: 'redis 127.0.0.1:1' },
    leaseMs: 5000,
  });
});

t.test('passwords are in no description and in no error', async (t) => {
  const secret = 'correct-horse';
  const urls = { redis: `redis://us:${secret}@127.0.0.1:1/3`, nats: `nats://us:${secret}@127.0.0.1:1` };
  for (const settings of [{ redis: urls.redis }, { nats: urls.nats }]) {
    const { strategy, close } = openStrategy({ strategy: 'broadcast', ...settings });
    const queue = strategy.queue!;
    t.match(queue.description, /^(redis|nats) 127\.0\.0\.1:1$/);
    const [posted] = await queue.publish([{ topic: 'x', bytes: Buffer.from('x') }], 300);
    const listener = { message() {}, away() {}, back() {} };
    const refused = await queue.subscribe(['x'], listener, 300).catch((thrown: Error) => thrown);
    for (const error of [posted!.kind === 'failed' ? posted!.error : undefined, refused]) {
      t.type(error, Error);
      t.match((error as Error).message, queue.description, 'the server is named');
      t.notMatch((error as Error).message, secret);
    }
    await close();
    await close();
  }
  const { strategy, close } = openStrategy({ strategy: 'registry', redis: urls.redis });
  t.teardown(close);
  if (strategy.name !== 'registry') throw new Error('it is a registry');
  t.equal(strategy.routes.description, 'redis 127.0.0.1:1');
  const failed = await strategy.routes.read(['anne'], 300).catch((thrown: Error) => thrown);
  t.match(failed, { code: 'unreachable', message: /redis 127\.0\.0\.1:1 cannot be connected to/ });
  t.notMatch((failed as Error).message, secret);
});

t.test('a URL without a port has the one of its kind', async (t) => {
  const described = (settings: StrategySettings) => openStrategy(settings).strategy.queue!.description;
  t.equal(described({ redis: 'redis://db.example' }), 'redis db.example:6379');
  t.equal(described({ nats: 'nats://mq.example' }), 'nats mq.example:4222');
});

t.test('what each strategy says of itself', async (t) => {
  const ring: Strategy = { name: 'ring' };
  const hybrid: Strategy = { name: 'ring', queue, prefix: 'chat' };
  const broadcast: Strategy = { name: 'broadcast', queue };
  const registry: Strategy = { name: 'registry', queue, routes, prefix: 'chat' };
  t.same([ring, broadcast, registry].map(isAnywhere), [false, true, true]);
  t.same([ring, broadcast, registry].map(whyNoWait), [
    undefined,
    'with the strategy broadcast nobody answers',
    'with the strategy registry nobody answers',
  ]);
  t.same([ring, hybrid, broadcast, registry].map(everybodysTopic), [
    undefined,
    'chat.everybody',
    'pinwheel.broadcast',
    'chat.everybody',
  ]);
  t.equal(topics.node(registry, 'abc'), 'chat.node.abc');
});

t.test('a name in the registry has both, whatever the id', async (t) => {
  for (const id of ['n1', 'a/b', '/', 'x:y']) {
    const name = nodeName.of(id, 'inc');
    t.equal(nodeName.id(name), id);
    t.equal(nodeName.incarnation(name), 'inc');
  }
});
