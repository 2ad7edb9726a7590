import t, { type Test } from 'tap';
import { startConsul } from '../../../test/kit/consul.js';
import { until } from '../../../test/kit/until.js';
import { consulMembership } from '../src/consul/consul.js';
import { createRingTracker } from '../src/tracker/ring-tracker.js';
import { startHealthzNode } from './healthz-node.js';

t.test('rings of several processes on a real Consul, with default settings', async (t) => {
  const consul = await startConsul(t);
  const started = async (t: Test) => {
    const membership = consulMembership({ host: consul.host, port: consul.port, service: 'chat' });
    const tracker = createRingTracker({ membership });
    t.teardown(() => membership.close());
    t.teardown(() => tracker.close());
    await tracker.start();
    return { membership, tracker };
  };
  const watchers = [await started(t), await started(t), await started(t)];
  const join = async (id: string) => {
    const node = await startHealthzNode(t, id);
    const { membership } = await started(t);
    const registered = await membership.register(node.registration);
    return {
      drain: async () => {
        node.draining = true;
        await registered.drain();
      },
      // one that has drained ends behind its entry
      leave: async () => {
        await registered.leave();
        await node.kill();
      },
      // neither its port answers nor does it look after its entry any more
      kill: async () => {
        await Promise.all([node.kill(), membership.close()]);
      },
    };
  };
  const everywhere = async (ids: string): Promise<number> => {
    const from = performance.now();
    await until(`ring ${ids} everywhere`, () =>
      watchers.every(({ tracker }) => tracker.current.ring.members.map(({ id }) => id).join(' ') === ids),
    );
    return performance.now() - from;
  };
  const nodes = await Promise.all(['n1', 'n2', 'n3', 'n4', 'n5'].map(join));
  await everywhere('n1 n2 n3 n4 n5');
  const [n1, n2, n3, n4] = nodes as [
    (typeof nodes)[0],
    (typeof nodes)[0],
    (typeof nodes)[0],
    (typeof nodes)[0],
  ];

  await t.test('all have the same fingerprint', async (t) => {
    t.equal(new Set(watchers.map(({ tracker }) => tracker.current.ring.fingerprint)).size, 1);
  });

  await t.test('a node joins', async (t) => {
    await join('n6');
    const ms = await everywhere('n1 n2 n3 n4 n5 n6');
    t.comment(`in every ring after ${Math.round(ms)} ms`);
  });

  await t.test('a node drains: out of every ring, still reachable', async (t) => {
    await n1.drain();
    const ms = await everywhere('n2 n3 n4 n5 n6');
    t.comment(`out of every ring after ${Math.round(ms)} ms`);
    t.ok(ms < 1_000, `${Math.round(ms)} ms`);
    t.ok(watchers.every(({ tracker }) => tracker.current.members.get('n1')?.draining));
    await n1.leave();
    await until('gone', () => watchers.every(({ tracker }) => !tracker.current.members.has('n1')));
  });

  await t.test('a node dies: out of every ring in less than 3 s', async (t) => {
    await n2.kill();
    const ms = await everywhere('n3 n4 n5 n6');
    t.comment(`out of every ring after ${Math.round(ms)} ms`);
    t.ok(ms < 3_000, `${Math.round(ms)} ms`);
  });

  await t.test('three of four die at once: the rings follow, because the fourth answers', async (t) => {
    await Promise.all([n3.kill(), n4.kill(), nodes[4]?.kill()]);
    const ms = await everywhere('n6');
    t.comment(`out of every ring after ${Math.round(ms)} ms`);
    t.ok(ms < 5_000, `${Math.round(ms)} ms`);
  });

  await t.test(
    'Consul restarts without its data: no ring changes while the nodes enter themselves again',
    async (t) => {
      await Promise.all([join('m1'), join('m2')]);
      await everywhere('m1 m2 n6');
      const rings = watchers.map(({ tracker }) => tracker.current.ring);
      const changed: string[] = [];
      for (const { tracker } of watchers)
        tracker.subscribe(({ ring }) => rings.includes(ring) || changed.push(ring.fingerprint));
      await consul.stop();
      await until('stale everywhere', () =>
        watchers.every(({ tracker }) => tracker.status().sourceErrors > 0),
      );
      await consul.start();
      await until(
        'frozen or back somewhere',
        () => watchers.some(({ tracker }) => tracker.status().staleMs < 1_000),
        { deadlineMs: 40_000 },
      );
      await until(
        'nobody pending, nobody frozen',
        () =>
          watchers.every(({ tracker }) => {
            const { frozen, pending, staleMs } = tracker.status();
            return (
              frozen === undefined &&
              pending.length === 0 &&
              staleMs < 15_000 &&
              tracker.current.members.size === 3
            );
          }),
        { deadlineMs: 40_000 },
      );
      t.same(changed, []);
      t.same(
        watchers.map(({ tracker }) => tracker.current.ring),
        rings,
      );
    },
  );
});
