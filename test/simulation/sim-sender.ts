import type { Sent } from './ledger.js';
import { SimDispatch } from './sim-dispatch.js';
import { SimProcess } from './sim-process.js';
import type { SimTracker } from './sim-tracker.js';
import type { Simulation } from './simulation.js';

/** A service that sends messages to users: the real dispatch, with rings of its own. */
export class SimSender {
  readonly process: SimProcess;
  readonly tracker: SimTracker;
  readonly dispatch: SimDispatch;
  readonly #sim: Simulation;
  #count = 0;

  constructor(sim: Simulation, id: string) {
    this.#sim = sim;
    this.process = new SimProcess(sim.world, id, id);
    this.tracker = sim.membership.follow(this.process, sim.setup);
    this.dispatch = new SimDispatch(this.process, () => this.tracker, sim.messages);
    this.dispatch.ringChanged(this.tracker.current);
    this.tracker.changed = (state) => this.dispatch.ringChanged(state);
  }

  get id(): string {
    return this.process.id;
  }

  async send(user: string, timeoutMs = 5000): Promise<Sent> {
    const { world, ledger } = this.#sim;
    const order = ++this.#count;
    const text = `${this.id}>${user}^${order}`;
    const sent = ledger.send(text, user, this.id, order, world.now);
    world.note(() => `${this.id} sends ${text}`);
    ledger.receipt(sent, await this.dispatch.send(user, text, timeoutMs), world.now);
    world.note(() => `${text} has receipt ${JSON.stringify(sent.receipt)}`);
    return sent;
  }
}
