import { buildRing } from '@pinwheel/ring';

export type Change = 'drain' | 'join';

/** A service of three nodes and what is about to happen to it. */
export interface Plan {
  readonly change: Change;
  readonly nodes: readonly string[];
  /** The node that leaves or joins. */
  readonly node: string;
  /** The pace of each node. */
  readonly usersPerSecond: number;
  readonly users: readonly string[];
  /** Those of them whom the change moves. */
  readonly moving: ReadonlySet<string>;
}

const three = ['n1', 'n2', 'n3'];

/**
 * Picks users by the ring, so that exactly so many of them move, 1,000 in a second, and twice as many stay: one node
 * sends them all when it drains, and each of three sends a third when a fourth joins.
 */
export function planOf(change: Change, movingUsers: number): Plan {
  const node = change === 'drain' ? 'n3' : 'n4';
  const senders = change === 'drain' ? [node] : three;
  const before = ringOf(three);
  const after = ringOf(change === 'drain' ? ['n1', 'n2'] : [...three, node]);
  const movingFrom = quotas(senders, movingUsers);
  const stayingAt = quotas(change === 'drain' ? ['n1', 'n2'] : three, 2 * movingUsers);
  const users: string[] = [];
  const moving = new Set<string>();
  for (let i = 0; users.length < 3 * movingUsers; i++) {
    const user = `user-${i}`;
    const holder = before.owner(user)!;
    const moves = after.owner(user) !== holder;
    const quota = moves ? movingFrom : stayingAt;
    const left = quota.get(holder) ?? 0;
    if (left === 0) continue;
    quota.set(holder, left - 1);
    users.push(user);
    if (moves) moving.add(user);
  }
  return { change, nodes: three, node, usersPerSecond: Math.ceil(1000 / senders.length), users, moving };
}

function ringOf(ids: readonly string[]) {
  return buildRing(ids.map((id) => ({ id })));
}

function quotas(ids: readonly string[], total: number): Map<string, number> {
  const each = Math.floor(total / ids.length);
  return new Map(ids.map((id, i) => [id, i < total % ids.length ? each + 1 : each]));
}
