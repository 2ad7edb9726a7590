import { inProcessMembership } from '@pinwheel/membership';
import { buildRing } from '@pinwheel/ring';
import t from 'tap';
import { until } from '../../../test/kit/until.js';
import { connect, startNode, startSender } from './kit/service.js';

t.test('users who have yet to move are reached where they are, without a hop', async (t) => {
  const membership = inProcessMembership();
  const n1 = await startNode(t, membership, 'n1', { usersPerSecond: 1 });
  await until('it is in the ring', () => n1.tracker.current.ring.members.length === 1);
  const joined = buildRing([{ id: 'n1' }, { id: 'n2' }]);
  const users = Array.from({ length: 200 }, (_, i) => `user ${i}`)
    .filter((user) => joined.owner(user) === 'n2')
    .slice(0, 50);
  // sessions of the node's own port: whoever moves is closed and has to connect again
  const texts = await Promise.all(users.map((user) => connect(t, [n1], user)));
  const sender = await startSender(t, { tracker: n1.tracker });
  const sendToAll = async (data: string): Promise<number> => {
    const receipts = await Promise.all(users.map((user) => sender.send(user, data)));
    return receipts.filter(({ status }) => status === 'delivered').length;
  };
  const passedOn = async (): Promise<number> => {
    const values = await Promise.all(both.map(({ port }) => metricOf(port, 'pinwheel_node_forwarded_total')));
    return values.reduce((sum, value) => sum + value, 0);
  };

  t.equal(await sendToAll('before'), users.length);
  const n2 = await startNode(t, membership, 'n2');
  const both = [n1, n2];
  await until('both see two nodes', () =>
    both.every(({ tracker }) => tracker.current.ring.members.length === 2),
  );
  const delivered = await sendToAll('while');
  const gone = n1.migration.moved;
  t.ok((await passedOn()) <= 2 * gone, `${gone} have moved, and only messages for them were passed on`);
  t.ok(delivered >= users.length - gone, `${delivered} were delivered`);
  await until(
    'what was delivered is there',
    () => texts.filter((of) => of.join() === 'before,while').length >= delivered,
  );
});

async function metricOf(port: number, name: string): Promise<number> {
  const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  return Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(text)?.[1] ?? Number.NaN);
}
