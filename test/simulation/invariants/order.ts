import type { Sent } from '../ledger.js';
import type { Simulation } from '../simulation.js';

/** What one sender sent to one user stands in its order in a stream, as far as receipts are certain. */
export function checkOrder({ ledger, world }: Simulation): void {
  const bySender = new Map<string, Sent[]>();
  for (const sent of ledger.sent.values()) {
    if (!isCertain(sent) || sent.places.length === 0) continue;
    const key = `${sent.sender} ${sent.user}`;
    const list = bySender.get(key);
    if (list === undefined) bySender.set(key, [sent]);
    else list.push(sent);
  }
  for (const list of bySender.values()) {
    for (const [i, later] of list.entries()) {
      const place = later.places[0]!;
      for (const earlier of list.slice(0, i)) {
        const before = earlier.places[0]!;
        if (before.stream !== place.stream || before.seq < place.seq) continue;
        const where = `${before.stream}:${before.seq} and ${place.seq}`;
        world.violate('I2 out of order', `${earlier.text} and ${later.text} are ${where}`);
      }
    }
  }
  checkArrival({ ledger, world } as Simulation);
}

/** And comes to a client in that order. */
function checkArrival({ ledger, world }: Simulation): void {
  for (const { name, speech, events } of ledger.clients.values()) {
    if (speech !== 'v1') continue;
    const last = new Map<string, Sent>();
    for (const event of events) {
      const sent = event.kind === 'message' ? ledger.sent.get(event.text) : undefined;
      // one that stood in two streams was moved, or taken twice
      if (sent === undefined || sent.places.length !== 1 || !isCertain(sent)) continue;
      const key = `${sent.sender} ${sent.places[0]!.stream}`;
      const before = last.get(key);
      if (before !== undefined && before.order > sent.order)
        world.violate('I2 came out of order', `${name} has ${sent.text} after ${before.text}`);
      last.set(key, sent);
    }
  }
}

/** A client that has not heard what became of a message sends it again, perhaps behind later ones. */
function isCertain({ receipt, passes }: Sent): boolean {
  return passes <= 1 && (receipt?.status === 'delivered' || receipt?.status === 'queued');
}
