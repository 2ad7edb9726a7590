import { textOf } from '../sim-messages.js';
import type { SimNode } from '../sim-node.js';
import type { Simulation } from '../simulation.js';

/** Ids of messages that nobody needs any more are known for so long at least. */
const historyMs = 9000;

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

  /** A message that was marked as repeated, and whose id is known, is not taken again. */
  #checkKnown(text: string, stream: string, seq: number): void {
    const { ledger, world } = this.#sim;
    const sent = ledger.sent.get(text);
    const before = sent?.places.find((place) => place.stream === stream && place.seq !== seq);
    if (sent === undefined || before === undefined) return;
    const isFirstTry = sent.firstTriedAt >= before.at;
    const isKnown = sent.repeatedAt >= before.at && world.now - before.at < historyMs;
    if (!isFirstTry && isKnown)
      world.violate('I3 taken twice', `${text} is in ${stream} at ${before.seq} already`);
  }

  #noteElsewhere(id: string, user: string, text: string): void {
    const sent = this.#sim.ledger.sent.get(text);
    if (sent === undefined || sent.places.length > 0) return;
    for (const node of this.#sim.liveNodes) {
      if (node.id === id) continue;
      for (const session of node.holder.users.get(user)?.sessions ?? []) sent.elsewhere.add(session.id);
    }
    for (const { holder } of this.#sim.liveNodes.filter((node) => node.id === id)) {
      const held = holder.users.get(user);
      // given up there, and not known to be here yet
      for (const { key } of held?.incoming?.state.sessions ?? []) sent.elsewhere.add(key);
      for (const session of held?.sessions ?? []) sent.elsewhere.delete(session.id);
    }
  }

  check({ id, holder }: SimNode): void {
    const { ledger, world } = this.#sim;
    for (const held of holder.users.users()) {
      const { inbox, stream } = held;
      if (inbox === undefined) continue;
      const read = this.#read.get(inbox) ?? 0;
      if (inbox.next - 1 <= read) continue;
      this.#read.set(inbox, inbox.next - 1);
      for (const { seq, data, origins } of inbox.after(read)) {
        const text = textOf(data);
        if (origins.length === 0) this.#checkKnown(text, stream, seq);
        this.#noteElsewhere(id, held.user, text);
        const other = ledger.place(text, { node: id, stream, seq, at: world.now });
        if (other !== undefined) {
          world.violate(
            'I1 two messages at one place',
            `${other} and ${text} are both ${stream}:${seq}, now at ${id}`,
          );
        }
      }
    }
  }
}
