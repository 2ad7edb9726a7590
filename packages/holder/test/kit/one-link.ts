import { Cluster } from './cluster.js';
import { TestLink } from './test-edge.js';

export const keepAliveMs = 6000;

/** A node with a link that a client of `alice` is attached by. */
export async function oneLink(limits = {}) {
  const cluster = new Cluster(['a'], { keepAliveMs, ...limits });
  const a = cluster.node('a');
  const link = new TestLink(a, 'e1');
  const session = link.attach('phone', { user: 'alice' });
  await cluster.settle();
  link.take(session);
  /** Of the messages since the last call. */
  const seqs = () =>
    link
      .take(session)
      .filter(([frame]) => frame === 'message')
      .map(([, , seq]) => seq);
  return { cluster, a, link, session, seqs };
}
