import type { HeldUser } from '@pinwheel/holder';
import type { SimNode } from '../sim-node.js';
import type { Simulation } from '../simulation.js';

/** A node that does nothing for so long has stood still, and what it waited for may be overdue, in ms. */
const stillMs = 400;
/** Beyond the time of the call for which a user is frozen: batches of calls wait for one another. */
const spareMs = 2500;

/** What holds for a node at any time: its memory, and everybody whom it holds and does not own, or does not serve. */
export class Bounds {
  readonly #sim: Simulation;
  readonly #lookedAt = new WeakMap<SimNode, number>();
  readonly #frozenSince = new WeakMap<HeldUser, number>();

  constructor(sim: Simulation) {
    this.#sim = sim;
  }

  check(node: SimNode): void {
    const { world } = this.#sim;
    const { now } = world;
    const hasStoodStill = now - (this.#lookedAt.get(node) ?? now) > stillMs;
    this.#lookedAt.set(node, now);
    this.#checkMemory(node);
    this.#checkList(node);
    for (const held of node.holder.users.users()) {
      if (!held.isFrozen) this.#frozenSince.delete(held);
      else if (hasStoodStill || !this.#frozenSince.has(held)) this.#frozenSince.set(held, now);
      else if (now - this.#frozenSince.get(held)! > this.#sim.setup.callMs + spareMs)
        world.violate('I7 frozen for too long', `${held.user} at ${node.id}`);
    }
  }

  /** What is kept for users, each of them and all together, and that it is counted. */
  #checkMemory({ id, holder }: SimNode): void {
    const { world, setup } = this.#sim;
    const { maxInboxMessages, maxInboxBytes, maxInboxTotalBytes, maxCopies } = setup.limits;
    let bytes = 0;
    for (const known of holder.users.everybody()) {
      if (known.kind === 'released') continue;
      const copy = known.kind === 'held' ? known.incoming : known.copy;
      bytes += copy?.memoryBytes ?? 0;
      if (known.kind !== 'held' || known.inbox === undefined) continue;
      const { keptMessages, keptBytes, memoryBytes } = known.inbox;
      bytes += memoryBytes;
      if (keptMessages > maxInboxMessages || keptBytes > maxInboxBytes)
        world.violate(
          'I6 over a bound',
          `${keptMessages} messages of ${known.user}, ${keptBytes} bytes, at ${id}`,
        );
    }
    if (holder.budget.bytes > maxInboxTotalBytes)
      world.violate('I6 over a bound', `inboxes take ${holder.budget.bytes} bytes at ${id}`);
    if (holder.budget.bytes !== bytes)
      world.violate('I6 wrongly counted', `inboxes take ${bytes} bytes at ${id}, not ${holder.budget.bytes}`);
    if (holder.copies.count > maxCopies)
      world.violate('I6 over a bound', `${holder.copies.count} copies at ${id}`);
  }

  /** Whoever belongs elsewhere is on the list, or on the way. */
  #checkList({ id, holder, phase }: SimNode): void {
    const { ownership, users, moves } = holder;
    if (phase === 'closed' || ownership.state.ring.members.length === 0) return;
    let foreign = 0;
    for (const { hash } of users.users()) if (!ownership.isMine(hash)) foreign++;
    if (foreign === 0) return;
    const { waiting } = moves.status;
    if (foreign > waiting)
      this.#sim.world.violate(
        'I4 left behind',
        `${id} holds ${foreign} users of others; ${waiting} are to move`,
      );
  }
}
