import type { Ring } from '@pinwheel/ring';
import type { RingState } from './ring-state.js';

/** Ids of each kind that are named: all members may change at once. */
const mostNamed = 20;

/** What a log says of a new ring: who has come, who is lost and how, and who has another weight. */
export function ringChange(
  before: Ring,
  { ring, members }: RingState,
): Readonly<Record<string, readonly string[]>> {
  const weights = weightsOf(before);
  const now = weightsOf(ring);
  const lost = [...weights.keys()].filter((id) => !now.has(id));
  const changes = {
    joined: [...now.keys()].filter((id) => !weights.has(id)),
    // it drains, or is not listed any more and still answers
    leaving: lost.filter((id) => members.get(id)?.draining === true),
    gone: lost.filter((id) => !members.has(id)),
    leftOut: lost.filter((id) => members.get(id)?.draining === false),
    reweighted: [...now.keys()].filter((id) => weights.has(id) && weights.get(id) !== now.get(id)),
  };
  return Object.fromEntries(
    Object.entries(changes).flatMap(([kind, ids]) => (ids.length === 0 ? [] : [[kind, named(ids)]])),
  );
}

function weightsOf({ members }: Ring): ReadonlyMap<string, number> {
  return new Map(members.map(({ id, weight = 1 }) => [id, weight]));
}

function named(ids: readonly string[]): readonly string[] {
  return ids.length <= mostNamed ? ids : [...ids.slice(0, mostNamed), `and ${ids.length - mostNamed} more`];
}
