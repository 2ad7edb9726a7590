import type { RawTarget } from '@pinwheel/bench/load/raw-client.js';
import { createRingTracker, staticMembership } from '@pinwheel/membership';

/** Where clients go: to one of these ports, or each to the owner of its user, straight. */
export type Way = { readonly ports: readonly number[] } | { readonly members: string };

/** Local addresses that take turns, because one has 28,000 ports for each port that it connects to. */
const localAddresses = 8;

/** @returns what gives the target of a user, the `i`th of all connections. */
export async function clientTargets(way: Way): Promise<(user: string, i: number) => RawTarget> {
  const local = (i: number): string => `127.0.0.${2 + (i % localAddresses)}`;
  if ('ports' in way) {
    const { ports } = way;
    return (user, i) => ({ port: ports[i % ports.length]!, user, localAddress: local(i) });
  }
  const tracker = createRingTracker({ membership: staticMembership(way.members) });
  await tracker.start();
  return (user, i) => {
    const { ring, members } = tracker.current;
    const port = members.get(ring.owner(user)!)!.wsPort!;
    return { port, user, fingerprint: ring.fingerprint, localAddress: local(i) };
  };
}
