import type { ClientLog } from './ledger.js';
import type { ClientSetup } from './setup.js';
import { SimProcess } from './sim-process.js';
import type { Simulation } from './simulation.js';
import type { WireEnd } from './wire.js';

const longestRetryMs = 1000;
const connectTimeoutMs = 5000;

/** A client that knows nothing but WebSockets: what it sends and gets are payloads; it connects again when it is closed. */
export class SimPlainClient {
  readonly process: SimProcess;
  readonly log: ClientLog;
  readonly isClosed = false;
  socket: WireEnd | undefined;
  readonly #sim: Simulation;
  #count = 0;

  constructor(sim: Simulation, { name, user }: ClientSetup) {
    this.#sim = sim;
    this.process = new SimProcess(sim.world, name, name);
    this.log = { name, user, speech: 'plain', events: [], edges: new Set() };
    sim.ledger.clients.set(name, this.log);
    sim.world.after(sim.world.random() * 500, this.process, () => this.#connect());
  }

  get user(): string {
    return this.log.user;
  }

  /** Sends the next message to the application, when there is a connection. */
  send(): void {
    if (this.socket?.isOpen !== true) return;
    const order = ++this.#count;
    const text = `${this.log.name}^${order}`;
    const { world, ledger } = this.#sim;
    ledger.upward.set(text, { text, client: this.log.name, order, at: world.now, outcome: undefined });
    this.socket.send(text);
  }

  #connect(): void {
    const { world, network } = this.#sim;
    const { events } = this.log;
    let isOpen = false;
    let cancelTimeout = (): void => {};
    const edge = this.#sim.someEdge();
    this.log.edges.add(edge);
    const end = network.dial(
      this.process,
      edge,
      {
        opened: () => {
          isOpen = true;
          cancelTimeout();
          this.socket = end;
          events.push({ kind: 'welcome', at: world.now, saidAt: world.now, resumed: false, recovered: true });
        },
        received: (data) => {
          world.note(() => `${this.log.name} has ${data}`);
          events.push({ kind: 'message', at: world.now, text: data.toString(), seq: 0 });
        },
        closed: (code) => {
          cancelTimeout();
          this.socket = undefined;
          world.note(() => `${this.log.name} is closed with ${code}`);
          if (isOpen) events.push({ kind: 'away', at: world.now, why: String(code) });
          world.after(world.random() * longestRetryMs, this.process, () => this.#connect());
        },
      },
      { user: this.user, speech: 'plain' },
    );
    cancelTimeout = this.process.clock.after(connectTimeoutMs, () => {
      end.close(1001, '');
      end.end(1006, 'not open in time');
    });
  }
}
