import type { SimNode } from '../sim-node.js';
import { textOf } from '../sim-messages.js';
import type { Simulation } from '../simulation.js';

/**
 * One place of one stream has one message, whoever holds it: two holders that number in the same stream would give
 * clients one of two messages, and take the other for known.
 */
export class Streams {
  readonly #sim: Simulation;
  /** Up to where each inbox was read. */
  readonly #read = new WeakMap<object, number>();

  constructor(sim: Simulation) {
    this.#sim = sim;
  }

  check({ id, holder }: SimNode): void {
    const { ledger, world } = this.#sim;
    for (const held of holder.users.users()) {
      const { inbox, stream } = held;
      if (inbox === undefined) continue;
      const read = this.#read.get(inbox) ?? 0;
      if (inbox.next - 1 <= read) continue;
      this.#read.set(inbox, inbox.next - 1);
      for (const { seq, data } of inbox.after(read)) {
        const text = textOf(data);
        const other = ledger.place(text, { node: id, stream, seq, at: world.now });
        if (other !== undefined) {
          world.violate('I1 two messages at one place', `${other} and ${text} are both ${stream}:${seq}, now at ${id}`);
        }
      }
    }
  }
}
