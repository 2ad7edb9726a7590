import { createEdge } from '@pinwheel/edge';
import { inProcessMembership } from '@pinwheel/membership';
import { createNode, type PinwheelNode } from '@pinwheel/node';
import t from 'tap';
import { userOf } from '../packages/edge/test/fake-tracker.js';
import { HandQueue, postOf } from './kit/hand-queue.js';
import { PlainClient } from './kit/plain-client.js';
import { until } from './kit/until.js';

t.test('broadcast: a user moves between two nodes of which one hears a message later', async (t) => {
  const queue = new HandQueue();
  const membership = inProcessMembership();
  t.teardown(() => membership.close());
  const start = async (id: string): Promise<PinwheelNode> => {
    const node = await createNode({ id, membership, strategy: { name: 'broadcast', queue } });
    t.teardown(() => node.close());
    await node.ready();
    return node;
  };
  const n1 = await start('n1');
  const n2 = await start('n2');
  await until('both have one ring', () =>
    [n1, n2].every(({ tracker }) => tracker.current.ring.members.length === 2),
  );
  const user = userOf(n1.tracker, 'n1');
  const edge = await createEdge({ id: 'e1', membership, port: 0 });
  t.teardown(() => edge.close());
  const client = new PlainClient(t, user, `ws://127.0.0.1:${edge.port}`);
  const hears = (node: 0 | 1, data: string): void =>
    queue.listeners[node]!.message(Buffer.from(postOf({ user, data, id: data })));

  await until('the client has been reached', () => {
    if (client.received.length === 0) hears(0, 'first');
    return client.received.length > 0;
  });
  client.forget();
  hears(1, 'ahead');
  // as one that drains, but for its end: how long the test takes is no matter
  membership.set({ ...membership.members().find(({ id }) => id === 'n1')!, draining: true });
  await until('n2 has the user', async () => (await placeOf(user, n2)) === 'n2');
  hears(0, 'ahead');
  hears(1, 'behind');
  hears(0, 'behind');
  hears(0, 'first-by-n1');
  hears(1, 'first-by-n1');
  await until('all have come', () => client.received.length >= 3);
  hears(1, 'last');
  await until('the last has come', () => client.received.includes('last'));
  t.same(client.received.toSorted(), ['ahead', 'behind', 'first-by-n1', 'last'], 'each has come, and once');
  t.same(client.closes, []);
});

/** The node at which the user's session is. */
async function placeOf(user: string, { port }: PinwheelNode): Promise<string | undefined> {
  const answer = await fetch(`http://127.0.0.1:${port}/v1/users/${user}`);
  const { sessions } = (await answer.json()) as { sessions?: readonly { readonly node?: string }[] };
  return sessions?.[0]?.node;
}
