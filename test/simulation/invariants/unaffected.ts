import type { Simulation } from '../simulation.js';

/** Whoever has nothing to do with what happened sees no frame of it: one welcome, and messages. */
export function checkUnaffected({ ledger, world, owners, touched, edges }: Simulation): void {
  // a client comes by any edge
  if ([...edges.keys()].some((id) => touched.has(id))) return;
  for (const { name, user, events } of ledger.clients.values()) {
    const [owner, another] = owners.get(user) ?? [];
    if (owner === undefined || another !== undefined || touched.has(owner) || touched.has(name)) continue;
    const frames = events.filter(({ kind }) => kind !== 'message');
    if (frames.length !== 1 || frames[0]!.kind !== 'welcome')
      world.violate('I5 disturbed', `${name}: ${JSON.stringify(frames)}`);
  }
}
