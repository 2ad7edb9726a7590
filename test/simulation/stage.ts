import type { Member } from '@pinwheel/membership';
import { Happenings } from './happenings.js';
import { checkAttached } from './invariants/settled.js';
import type { CallFate, CallName } from './network.js';
import { ringOf } from './ring-cache.js';
import { checkAlways, checkAtLast } from './run-schedule.js';
import { calmSetup, type Setup } from './setup.js';
import type { SimClient } from './sim-client.js';
import type { SimNode } from './sim-node.js';
import { Simulation } from './simulation.js';

const restMs = 45_000;
const mostUsers = 100_000;

/** For schedules that are written by hand: nothing happens by chance, and every process sees the rings that it is shown. */
export class Stage {
  readonly sim: Simulation;
  readonly happenings: Happenings;
  readonly #fates: { readonly call: CallName; readonly fate: CallFate }[] = [];

  constructor(setup: Partial<Setup>, isTraced = false) {
    this.sim = new Simulation({ ...calmSetup, ...setup }, isTraced);
    this.happenings = new Happenings(this.sim);
    checkAlways(this.sim);
    const { network, membership, trackers } = this.sim;
    network.delayMs = () => 1;
    network.fateOf = (call) => this.#fateOf(call);
    membership.lagMs = () => 3_600_000;
    for (const tracker of trackers) tracker.isCutOff = true;
  }

  /**
   * A user whom each of these rings gives to that member.
   *
   * @param owners by the ids of a ring, with spaces between.
   */
  static user(owners: Readonly<Record<string, string>>): string {
    const rings = Object.entries(owners).map(([ids, owner]) => {
      return { ring: ringOf(ids.split(' ').map((id) => ({ id, weight: 1 }))), owner };
    });
    for (let i = 0; i < mostUsers; i++) {
      const user = `user${i}`;
      if (rings.every(({ ring, owner }) => ring.owner(user) === owner)) return user;
    }
    throw new Error(`no user is placed like ${JSON.stringify(owners)}`);
  }

  /** The members in the order in which they would own the user, each after those before it have left. */
  static order(ids: readonly string[], user: string): readonly string[] {
    return ringOf(ids.map((id) => ({ id, weight: 1 }))).owners(user, ids.length);
  }

  /** Whether a client was told that something is lost. */
  hasGap(name: string): boolean {
    const { events } = this.sim.ledger.clients.get(name)!;
    return events.some((event) => event.kind === 'welcome' && !event.recovered);
  }

  node(id: string): SimNode {
    return this.sim.nodes.get(id)!;
  }

  client(name: string): SimClient {
    return this.sim.clients.get(name) as SimClient;
  }

  /** The messages that a client has had. */
  had(name: string): readonly string[] {
    const { events } = this.sim.ledger.clients.get(name)!;
    return events.flatMap((event) => (event.kind === 'message' ? [event.text] : []));
  }

  /** Those who hold the user. */
  holders(user: string): readonly string[] {
    return this.sim.liveNodes
      .filter(({ holder }) => holder.users.get(user) !== undefined)
      .map(({ id }) => id);
  }

  /** A client starts, and is attached. */
  async start(name: string, user: string, speech: 'v1' | 'plain' = 'v1'): Promise<void> {
    this.sim.addClient({ name, user, speech });
    await this.pass(1000);
  }

  /** @returns its receipt's status, in time. */
  async send(user: string): Promise<string> {
    const sending = this.sim.senders.get('s1')!.send(user);
    let status = 'none';
    void sending.then(({ receipt }) => {
      status = receipt!.status;
    });
    await this.pass(6000);
    return status;
  }

  async pass(ms: number): Promise<void> {
    await this.sim.world.settle();
    await this.sim.world.run(this.sim.world.now + ms);
  }

  /**
   * Shows processes who the members are.
   *
   * @param ids with spaces between; one with a minus behind it is draining.
   * @param whom default: everybody.
   */
  async ring(ids: string, ...whom: readonly string[]): Promise<void> {
    const members = ids.split(' ').map((id) => this.#member(id));
    for (const tracker of this.sim.trackers)
      if (whom.length === 0 || whom.includes(tracker.process.id)) tracker.see(members);
    await this.sim.world.settle();
  }

  /** What becomes of the next call of that kind between those two. */
  next(what: string, from: string, to: string, fate: CallFate): void {
    this.#fates.push({ call: { what, from, to }, fate });
  }

  /** Starts a node that nobody knows of yet. */
  join(id: string): SimNode {
    const node = this.sim.join(id);
    node.tracker.isCutOff = true;
    return node;
  }

  /** Everything is healed and comes to rest. @returns what was broken. */
  async end(): Promise<readonly string[]> {
    const { sim, happenings } = this;
    this.#fates.length = 0;
    happenings.heal();
    await this.pass(restMs);
    checkAttached(sim);
    if (sim.world.violations.length === 0) checkAtLast(sim);
    return sim.world.violations.map(({ message }) => message);
  }

  #member(text: string): Member {
    const draining = text.endsWith('-');
    const id = draining ? text.slice(0, -1) : text;
    const incarnation = this.sim.nodes.get(id)?.process.incarnation ?? `${id}-1`;
    return { id, address: id, port: 7000, wsPort: 7001, weight: 1, draining, kind: 'node', incarnation };
  }

  #fateOf({ what, from, to }: CallName): CallFate | undefined {
    const at = this.#fates.findIndex(
      ({ call }) => call.what === what && call.from === from && call.to === to,
    );
    const [found] = at === -1 ? [] : this.#fates.splice(at, 1);
    return found?.fate ?? { request: 1, answer: 1 };
  }
}
