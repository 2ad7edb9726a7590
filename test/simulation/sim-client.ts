import type { PinwheelError, Receipt } from '@pinwheel/protocol';
import type { ClientLog } from './ledger.js';
import { ClientCore, type SocketEvents, type SocketPort } from './mechanisms.js';
import type { ClientSetup } from './setup.js';
import { textOf } from './sim-messages.js';
import { SimProcess } from './sim-process.js';
import type { Simulation } from './simulation.js';
import type { WireEnd } from './wire.js';

const sendTimeoutMs = 30_000;
const keyLength = 16;

/** A client of `pinwheel.v1`: the real core over simulated sockets. */
export class SimClient {
  readonly process: SimProcess;
  readonly core: ClientCore;
  readonly log: ClientLog;
  /** Sends that have had no answer yet. */
  unanswered = 0;
  socket: WireEnd | undefined;
  /** Its application has ended it. */
  isClosed = false;
  readonly key: string;
  readonly #sim: Simulation;
  #count = 0;
  /** When what it reads now was written. */
  #saidAt = 0;

  constructor(sim: Simulation, { name, user }: ClientSetup) {
    this.#sim = sim;
    this.process = new SimProcess(sim.world, name, name);
    this.key = name.padEnd(keyLength, '-');
    this.log = { name, user, speech: 'v1', events: [], edges: new Set() };
    sim.ledger.clients.set(name, this.log);
    const { world } = sim;
    this.core = new ClientCore(
      this.key,
      {
        onMessage: ({ data, seq }) => {
          const text = textOf(data);
          world.note(() => `${name} has ${text} (${seq})`);
          this.log.events.push({ kind: 'message', at: world.now, text, seq });
        },
        onStatus: (status) => {
          world.note(() => `${name} is ${JSON.stringify(status)}`);
          const at = world.now;
          if (status.state === 'connected') {
            const { resumed, recovered } = status;
            this.log.events.push({ kind: 'welcome', at, saidAt: this.#saidAt, resumed, recovered });
          } else if (status.state === 'waiting') this.log.events.push({ kind: 'away', at, why: status.why });
          else if (status.state === 'closed') this.log.events.push({ kind: 'closed', at, code: status.code });
        },
        retry: { firstMs: 200, longestMs: 2000 },
        sendTimeoutMs,
        keepAliveMs: 10_000,
        connectTimeoutMs: 4000,
      },
      {
        clock: this.process.clock,
        random: this.process.random,
        open: (_protocols, events) => this.#open(events),
        report: (thrown) => world.violate('a callback has thrown', String(thrown)),
      },
    );
    world.after(world.random() * 500, this.process, () => this.core.start());
  }

  get user(): string {
    return this.log.user;
  }

  /** Ends the session. */
  async close(): Promise<void> {
    this.isClosed = true;
    await this.core.close();
  }

  /** Sends the next message to the application. */
  async send(): Promise<void> {
    const order = ++this.#count;
    const text = `${this.log.name}^${order}`;
    const { world, ledger } = this.#sim;
    const upward = {
      text,
      client: this.log.name,
      order,
      at: world.now,
      outcome: undefined as string | undefined,
    };
    ledger.upward.set(text, upward);
    this.unanswered++;
    await this.core.send(text).then(
      () => {
        upward.outcome = 'taken';
        ledger.taken.push(text);
      },
      (thrown: { readonly code: string }) => {
        upward.outcome = thrown.code;
      },
    );
    this.unanswered--;
  }

  /** Sends a message to another user. */
  async sendTo(user: string): Promise<void> {
    const order = ++this.#count;
    const text = `${this.log.name}>${user}^${order}`;
    const { world, ledger } = this.#sim;
    const sent = ledger.send(text, user, this.log.name, order, world.now);
    this.unanswered++;
    const settle = (answer: object): void => ledger.receipt(sent, { ...answer, user } as Receipt, world.now);
    await this.core
      .sendTo(user, text)
      .then(settle, ({ code, message }: PinwheelError) =>
        settle({ status: 'overloaded', error: { code, message } }),
      );
    this.unanswered--;
  }

  #open(events: SocketEvents): SocketPort {
    const { network } = this.#sim;
    const listener = {
      opened: () => events.opened(),
      received: (data: Uint8Array | string, sentAt: number) => {
        this.#saidAt = sentAt;
        if (typeof data === 'string') events.text(data);
        else events.binary(data);
      },
      closed: (code: number, reason: string) => {
        if (this.socket === end) this.socket = undefined;
        events.closed(code, reason);
      },
    };
    const edge = this.#sim.someEdge();
    this.log.edges.add(edge);
    const end = network.dial(this.process, edge, listener, { user: this.user, speech: 'v1' });
    this.socket = end;
    return end;
  }
}
