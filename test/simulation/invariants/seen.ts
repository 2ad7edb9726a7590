import type { ClientEvent, ClientLog } from '../ledger.js';
import type { Simulation } from '../simulation.js';

/** What a client sees, as it sees it. */
export class Seen {
  readonly #sim: Simulation;
  readonly #read = new Map<ClientLog, number>();
  readonly #had = new Map<ClientLog, Set<string>>();

  constructor(sim: Simulation) {
    this.#sim = sim;
  }

  check(log: ClientLog): void {
    const { events } = log;
    const read = this.#read.get(log) ?? 0;
    if (read === events.length) return;
    this.#read.set(log, events.length);
    for (const event of events.slice(read)) {
      if (event.kind === 'message') this.#checkOnce(log, event);
      else if (events[0] !== event || event.kind !== 'welcome') this.#checkUnaffected(log, event);
    }
  }

  /** An id that is known does not come again. */
  #checkOnce(log: ClientLog, { text }: Extract<ClientEvent, { readonly kind: 'message' }>): void {
    if (log.speech !== 'v1') return;
    let had = this.#had.get(log);
    if (had === undefined) {
      had = new Set();
      this.#had.set(log, had);
    }
    if (had.has(text)) this.#sim.world.violate('I3 a message came twice', `${text} to ${log.name}`);
    had.add(text);
  }

  /** Whoever has nothing to do with what happened sees one welcome, and messages. */
  #checkUnaffected({ name, user, edges }: ClientLog, event: ClientEvent): void {
    const { owners, touched, world } = this.#sim;
    const [owner, another] = owners.get(user) ?? [];
    if (owner === undefined || another !== undefined) return;
    if ([owner, name, ...edges].some((id) => touched.has(id))) return;
    world.violate('I5 disturbed', `${name}: ${JSON.stringify(event)}`);
  }
}
