import { LinkSession } from '@pinwheel/holder';
import type { Simulation } from '../simulation.js';

/** Beyond the pace, for the calls and frames of the last users, and for those that came before their owner knew of it. */
const spareMs = 500;
const mostOfThePace = 1.1;

/** Where nothing excuses a delay, everybody is attached to the owner as soon as the pace allows since the last change of the ring. */
export class Pace {
  readonly #sim: Simulation;
  #changeAt = 0;
  #due: number | undefined;

  constructor(sim: Simulation) {
    this.#sim = sim;
  }

  check(): void {
    const { ringSeenAt, world } = this.#sim;
    if (ringSeenAt !== this.#changeAt) {
      this.#changeAt = ringSeenAt;
      this.#due = world.now + this.#longestMs() + spareMs;
    }
    if (this.#due === undefined || world.now < this.#due) return;
    this.#due = undefined;
    for (const user of this.#sim.users) this.#checkUser(user);
  }

  /** Nodes hand users over beside one another; who is on the way may have to go on from there. */
  #longestMs(): number {
    const { liveNodes, setup } = this.#sim;
    let most = 0;
    let onTheWay = 0;
    for (const { holder } of liveNodes) {
      let foreign = 0;
      for (const { hash } of holder.users.users()) if (!holder.ownership.isMine(hash)) foreign++;
      most = Math.max(most, foreign);
      onTheWay += holder.handoffs.onTheirWay + holder.copies.count;
    }
    return ((most + onTheWay) / setup.usersPerSecond) * 1000 * mostOfThePace;
  }

  #checkUser(user: string): void {
    const { liveNodes, liveEdges, world, setup } = this.#sim;
    const owner = liveEdges[0]!.tracker.current.ring.owner(user);
    const holders = liveNodes.filter(({ holder }) => holder.users.get(user) !== undefined);
    const sessions = holders[0]?.holder.users.get(user)?.sessions ?? [];
    const isAttached = sessions.some((one) => one instanceof LinkSession && one.link !== undefined);
    if (holders.length === 1 && holders[0]!.id === owner && isAttached) return;
    const where = holders.map(({ id }) => id);
    world.violate(
      'I4 slower than the pace',
      `${user} is at [${where}]${isAttached ? '' : ', not attached'}, not at ${owner}, at ${setup.usersPerSecond} per second`,
    );
  }
}
