import t from 'tap';
import { until } from '../../../test/kit/until.js';
import { askHealth, createRingTracker, inProcessMembership, type RingState } from '../src/index.js';
import { startHealthzNode } from './healthz-node.js';

t.test('another incarnation behind an id, and nothing else, is a new state', async (t) => {
  const membership = inProcessMembership();
  const tracker = createRingTracker({ membership });
  t.teardown(() => tracker.close());
  membership.set({ id: 'a', port: 7001, incarnation: 'first' });
  const first = await tracker.start();
  const told: RingState[] = [];
  tracker.subscribe((current) => told.push(current));
  membership.set({ id: 'a', port: 7001, incarnation: 'second' });
  await until('told', () => told.length > 0);
  t.equal(told[0], tracker.current);
  t.equal(tracker.current.members.get('a')?.incarnation, 'second');
  t.equal(tracker.current.ring, first.ring, 'with the same ring');
  t.equal(tracker.current.generation, first.generation + 1);

  await t.test('also while it flaps and does not count for it', async (t) => {
    for (const incarnation of ['third', 'fourth', 'fifth']) {
      membership.set({ id: 'a', port: 7001, incarnation });
      await until(incarnation, () => tracker.current.members.get('a')?.incarnation === incarnation);
      t.equal(told.at(-1), tracker.current);
    }
  });
});

t.test('before it registers, a node can ask who is behind an address', async (t) => {
  const node = await startHealthzNode(t, 'n1');
  t.match(await askHealth('127.0.0.1', node.port, 1_000), {
    kind: 'node',
    answer: { id: 'n1', incarnation: node.registration.incarnation, draining: false },
  });
  await node.kill();
  t.match(await askHealth('127.0.0.1', node.port, 1_000), { kind: 'refused' });
});
