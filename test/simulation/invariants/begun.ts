import { pathTo, type Question } from '../questions.js';
import type { SimNode } from '../sim-node.js';
import type { Simulation } from '../simulation.js';

/**
 * A node begins a user anew when everybody whom it asked denies it. Where one of those knew the way to a holder who has
 * had the user all the while there are two now: only when the new one is marked, because somebody has not answered.
 *
 * @param heldSince since when a process holds the user.
 */
export function checkBegun(
  sim: Simulation,
  node: SimNode,
  user: string,
  heldSince: (incarnation: string) => number,
): void {
  const { incarnation } = node.process;
  const held = node.holder.users.get(user);
  if (held?.contested !== undefined || held?.stream.startsWith(`${incarnation}.`) !== true) return;
  const round = sim.ledger.questions.of(incarnation, user);
  // it may have begun without a question, because nobody was to be asked
  if (!round.some(({ endedAt }) => endedAt === sim.world.now)) return;
  for (const question of round) {
    const holder = holderOf(sim, node, user, question);
    if (holder === undefined || heldSince(holder.process.incarnation) > question.at) continue;
    sim.world.violate(
      'I1 a second holder that is not marked',
      `${node.id} begins ${user} anew, held by ${holder.id}; ${question.to} was asked`,
    );
  }
}

/** To whom the one that was asked knew the way, then and now, by processes that the node has for members. */
function holderOf(
  { nodes }: Simulation,
  node: SimNode,
  user: string,
  { to, path }: Question,
): SimNode | undefined {
  if (path.length === 0 || pathTo(nodes, user, to, node.id).join() !== path.join()) return undefined;
  const { members } = node.tracker.current;
  const isKnown = path.every((id) => members.get(id)?.incarnation === nodes.get(id)?.process.incarnation);
  return isKnown ? nodes.get(path.at(-1)!) : undefined;
}
