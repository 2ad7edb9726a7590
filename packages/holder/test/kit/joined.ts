import { Cluster } from './cluster.js';
import { TestClient } from './test-edge.js';

const two = ['a', 'b'];
const three = ['a', 'b', 'c'];

export const clientOf = (cluster: Cluster, user: string, key = 'phone') =>
  new TestClient((id) => cluster.node(id), user, key);

/** The pace is at rest: only claims move anybody. */
export function paused(ids: readonly string[], limits = {}): Cluster {
  const cluster = new Cluster(ids, limits);
  for (const { holder } of cluster.nodes) holder.moves.change({ paused: true });
  return cluster;
}

/** `a` has a user with a client there and messages for a tablet that is away; `c` has joined and owns the user. */
export async function joined(limits = {}) {
  const cluster = paused(two, limits);
  const user = cluster.userOf([two, 'a'], [three, 'c']);
  const [client, tablet] = [clientOf(cluster, user), clientOf(cluster, user, 'tablet')];
  client.attach('a');
  tablet.attach('a');
  await cluster.until('they are attached', () => client.at === 'a' && tablet.at === 'a');
  tablet.cut();
  const [a, c] = [cluster.node('a'), cluster.start('c', three)];
  a.send(user, '1');
  cluster.ring(three);
  return { cluster, user, client, tablet, a, c };
}
