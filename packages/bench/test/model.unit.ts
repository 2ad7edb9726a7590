import fc from 'fast-check';
import t from 'tap';
import type { GivenDemand } from '../src/model/demand.js';
import { modelOf } from '../src/model/model-of.js';
import type { StrategyModel } from '../src/model/model-result.js';
import { textModel } from '../src/model/text-model.js';
import type { Contender } from '../src/result.js';
import { exampleCosts } from './kit/example-costs.js';
import { isNear } from './kit/is-near.js';

const demand: GivenDemand = { users: 50_000_000, nodes: 500, edges: 200, messagesPerSecond: 2_000_000 };

function model(strategy: Contender, changes: Partial<GivenDemand> = {}): StrategyModel {
  const { strategies } = modelOf({ ...demand, ...changes }, exampleCosts);
  return strategies.find((found) => found.strategy === strategy)!;
}

t.test('a message crosses between processes', async (t) => {
  t.test('once by the ring, twice by the registry, once more than there are nodes by broadcast', async () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 100_000 }), (nodes) => {
        const copies = (strategy: Contender) => model(strategy, { nodes }).copiesPerMessage;
        return (
          copies('ring') === 1 &&
          copies('registry') === 2 &&
          copies('broadcast') === nodes + 1 &&
          copies('broadcast-unbatched') === nodes + 1
        );
      }),
    );
  });

  t.test('and with it its payload and frame', async (t) => {
    const ring = model('ring', { payloadBytes: 1000 });
    t.equal(ring.bytesBetweenProcessesPerSecond, 2_000_000 * 1060);
    t.equal(ring.bytesIntoEachNodePerSecond, (2_000_000 * 1060) / 500);
    const broadcast = model('broadcast', { payloadBytes: 1000 });
    t.equal(broadcast.bytesBetweenProcessesPerSecond, 2_000_000 * 501 * 1066);
    t.equal(broadcast.bytesIntoEachNodePerSecond, 2_000_000 * 1066);
  });

  t.test('so that more nodes relieve a node of the ring, and none of broadcast', async (t) => {
    const into = (strategy: Contender, nodes: number) =>
      model(strategy, { nodes }).bytesIntoEachNodePerSecond;
    t.equal(into('ring', 1000), into('ring', 500) / 2);
    t.equal(into('registry', 1000), into('registry', 500) / 2);
    t.equal(into('broadcast', 1000), into('broadcast', 500));
  });
});

t.test('cores, links and memory have closed forms', async (t) => {
  const ring = model('ring');
  t.same(
    Object.values(ring.cores).map((cores) => Number(cores.toFixed(6))),
    [2.4, 0, 3.2, 3, 8.6],
  );
  t.equal(ring.machines, 2);
  t.equal(ring.links, 100_000);
  t.equal(ring.queueConnections, 0);
  t.equal(ring.routeMemoryBytes, 0);
  t.equal(ring.registryWritesPerSecond, undefined);

  const registry = model('registry');
  t.equal(registry.registryWritesPerSecond, 5_000_000);
  t.equal(registry.registryReadsPerSecond, 2_000_000);
  t.equal(registry.routeMemoryBytes, 9_250_000_000);
  t.ok(isNear(registry.cores.queue, 2 * 4 + 5));
  t.equal(registry.queueConnections, 505);

  const broadcast = model('broadcast');
  t.ok(isNear(broadcast.cores.queue, 2 * (0.5 + 0.25 * 500)));
  t.ok(isNear(broadcast.cores.nodes, 2 * (1.6 + 0.35 * 500)));
  t.equal(model('ring', { edges: 0 }).links, 0);
  t.equal(model('ring', { edges: 0 }).cores.edges, 0);

  t.test('cores grow with the load, by the same factor', async () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1e8 }), (messagesPerSecond) => {
        const once = model('broadcast', { messagesPerSecond }).cores.total;
        return isNear(model('broadcast', { messagesPerSecond: messagesPerSecond * 2 }).cores.total, 2 * once);
      }),
    );
  });
});

t.test('the first limit', async (t) => {
  const first = (strategy: Contender, changes: Partial<GivenDemand>) => model(strategy, changes).firstLimit;

  t.test('of broadcast is its queue, with what it is full at and what is asked', async (t) => {
    const { name, text, used } = first('broadcast', {});
    t.equal(name, 'queue-cpu');
    t.equal(text, 'one Redis (1 core) is full at 7,968 messages/s; this asks 2,000,000');
    t.ok(isNear(used, 251));
  });

  t.test('of the registry can be its renewals alone', async (t) => {
    const { name, text, used } = first('registry', { messagesPerSecond: 1 });
    t.equal(name, 'queue-cpu');
    t.match(text, 'besides 5,000,000 renewals/s, which fill 5 cores');
    t.ok(used > 5);
    t.ok(first('registry', { messagesPerSecond: 1, leaseSeconds: 3000 }).used < 1);
  });

  t.test('of broadcast with many queues is a node, and more nodes do not help', async (t) => {
    const limit = first('broadcast', { queueCores: 10_000 });
    t.equal(limit.name, 'node-cpu');
    t.match(limit.text, 'no number of nodes takes more than 2,857,143');
    const large = first('broadcast', { queueCores: 10_000, payloadBytes: 10_000 });
    t.equal(large.name, 'node-network');
    t.equal(
      large.text,
      'every node must take in 161 Gbit/s, however many nodes there are; a machine takes 10',
    );
  });

  t.test(
    'of the ring is a node with few nodes, links with many, the network with large payloads',
    async (t) => {
      const few = first('ring', { nodes: 2, edges: 200, users: 1000 });
      t.equal(few.name, 'node-cpu');
      t.equal(
        few.text,
        "a node's core (2 nodes, 1 core each) is full at 1,250,000 messages/s; this asks 2,000,000",
      );
      const many = first('ring', { nodes: 50_000, users: 1000, messagesPerSecond: 1000 });
      t.equal(many.name, 'edge-connections');
      t.match(many.text, 'links: 10,000,000 pairs of edges and nodes, 50,000 per edge');
      t.equal(first('ring', { payloadBytes: 1_000_000, users: 1000 }).name, 'node-network');
      t.equal(first('ring', { edges: 1, users: 5_000_000, messagesPerSecond: 10 }).name, 'edge-connections');
      t.equal(first('ring', { edges: 0, users: 1e10, messagesPerSecond: 10 }).name, 'node-connections');
    },
  );

  t.test('is the one of which the most is used', async (t) => {
    for (const { limits, firstLimit } of modelOf(demand, exampleCosts).strategies) {
      t.equal(firstLimit.used, Math.max(...limits.map(({ used }) => used)));
    }
  });
});

t.test('a model as text', async (t) => {
  const result = modelOf(demand, exampleCosts);
  const text = textModel(result);
  t.ok(text.split('\n').every((line) => [...line].length <= 110));
  t.match(text, '50,000,000 users, 500 nodes, 200 edges, 2,000,000 messages/s of 128 bytes');
  t.match(text, /copies\/message +│ +1 │ +2 │ +501 │ +501\n/);
  t.match(
    text,
    'broadcast: one Redis (1 core) is full at 7,968 messages/s; this asks 2,000,000 – does not work',
  );
  t.match(text, /ring: links: 100,000 pairs of edges and nodes, .*\n? .*25 % used/);
  for (const sentence of result.assumptions) t.match(text.replaceAll('\n  ', ' '), sentence);
  t.same(JSON.parse(JSON.stringify(result)), result);
});
