import type { ClientLog, Sent } from '../ledger.js';
import type { Simulation } from '../simulation.js';

/** What one sender sent to one user stands in its order in a stream, as far as receipts are certain. */
export class Order {
  readonly #sim: Simulation;
  readonly #certain = new Map<string, Sent[]>();

  constructor(sim: Simulation) {
    this.#sim = sim;
  }

  /** A receipt has come. */
  check(sent: Sent): void {
    if (!isCertain(sent) || sent.places.length === 0) return;
    const key = `${sent.sender} ${sent.user}`;
    const others = this.#certain.get(key);
    if (others === undefined) {
      this.#certain.set(key, [sent]);
      return;
    }
    for (const other of others) {
      const [earlier, later] = other.order < sent.order ? [other, sent] : [sent, other];
      const [before, place] = [earlier.places[0]!, later.places[0]!];
      // a client passes on again what it has had no receipt of
      if (!isCertain(other) || before.stream !== place.stream || before.seq < place.seq) continue;
      const where = `${before.stream}:${before.seq} and ${place.seq}`;
      this.#sim.world.violate('I2 out of order', `${earlier.text} and ${later.text} are ${where}`);
    }
    others.push(sent);
  }
}

/** And comes to every client in that order. */
export function checkArrival({ ledger, world }: Simulation): void {
  for (const log of ledger.clients.values()) {
    const wrong = outOfOrder(log, ledger.sent);
    if (wrong !== undefined) world.violate('I2 came out of order', `${log.name} has ${wrong}`);
  }
}

function outOfOrder({ speech, events }: ClientLog, all: ReadonlyMap<string, Sent>): string | undefined {
  if (speech !== 'v1') return undefined;
  const last = new Map<string, Sent>();
  for (const event of events) {
    const sent = event.kind === 'message' ? all.get(event.text) : undefined;
    // one that stood in two streams was moved, or taken twice
    if (sent === undefined || sent.places.length !== 1 || !isCertain(sent)) continue;
    const key = `${sent.sender} ${sent.places[0]!.stream}`;
    const before = last.get(key);
    if (before !== undefined && before.order > sent.order) return `${sent.text} after ${before.text}`;
    last.set(key, sent);
  }
  return undefined;
}

/** A client that has not heard what became of a message sends it again, perhaps behind later ones. */
function isCertain({ receipt, passes }: Sent): boolean {
  return passes <= 1 && (receipt?.status === 'delivered' || receipt?.status === 'queued');
}
