import fc from 'fast-check';
import { seeded } from '../../../../test/kit/seeded.js';
import { Cluster, ringOf } from './cluster.js';
import type { Fate } from './fake-network.js';
import { TestClient } from './test-edge.js';

const ids = ['a', 'b', 'c'];
const userCount = 3;
const keys = ['phone', 'tablet'];

export type Step =
  /** Only some hear of it at once; the others do with the next one. */
  | { readonly does: 'ring'; readonly members: readonly string[]; readonly at: readonly string[] }
  | { readonly does: 'send'; readonly user: number }
  | { readonly does: 'cut'; readonly user: number; readonly key: number }
  | { readonly does: 'network'; readonly lost: number; readonly held: number }
  | { readonly does: 'pass'; readonly ms: number };

const some = fc.subarray(ids, { minLength: 1 });

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ does: fc.constant('ring' as const), members: some, at: some }),
  fc.record({ does: fc.constant('send' as const), user: fc.nat(userCount - 1) }),
  fc.record({ does: fc.constant('send' as const), user: fc.nat(userCount - 1) }),
  fc.record({ does: fc.constant('cut' as const), user: fc.nat(userCount - 1), key: fc.nat(keys.length - 1) }),
  fc.record({ does: fc.constant('network' as const), lost: fc.nat(60), held: fc.nat(60) }),
  fc.record({ does: fc.constant('pass' as const), ms: fc.constantFrom(10, 50, 300, 2000) }),
);

export const schedule = fc.record({
  seed: fc.integer(),
  steps: fc.array(step, { maxLength: 40, size: 'max' }),
});

/** Three nodes with users and clients, to whom things happen. Nobody dies. */
export class Wandering {
  readonly cluster = new Cluster(ids);
  readonly clients: readonly TestClient[];
  readonly users: readonly string[];
  /** Texts that were delivered or queued, by user. */
  readonly accepted = new Map<string, string[]>();
  readonly #random: () => number;
  #ring: readonly string[] = ids;
  #texts = 0;

  constructor(seed: number) {
    this.#random = seeded(seed);
    this.users = this.cluster.usersOf(userCount);
    this.clients = this.users.flatMap((user) =>
      keys.map((key) => new TestClient((id) => this.cluster.node(id), user, key)),
    );
    for (const user of this.users) this.accepted.set(user, []);
  }

  async start(): Promise<void> {
    this.#comeBack();
    await this.cluster.until('everybody is attached', () => this.clients.every(({ at }) => at !== undefined));
  }

  async do(step: Step): Promise<void> {
    const { cluster } = this;
    switch (step.does) {
      case 'ring':
        cluster.ring(this.#ring, { members: everybody });
        this.#ring = step.members;
        cluster.ring(this.#ring, { at: step.at, members: everybody });
        return;
      case 'send':
        this.#send(this.users[step.user]!);
        return;
      case 'cut':
        this.clients[step.user * keys.length + step.key]!.cut();
        return;
      case 'network':
        cluster.network.fateOf = () => this.#fate(step.lost, step.held);
        return;
      case 'pass':
        await this.#pass(step.ms);
        return;
      default:
        throw new TypeError(`unknown step ${step satisfies never}`);
    }
  }

  /** Nothing happens any more, until all is settled. */
  async settle(): Promise<void> {
    const { cluster } = this;
    cluster.network.fateOf = () => 'pass';
    cluster.ring(this.#ring, { members: everybody });
    await this.#pass(25_000);
  }

  /** What is not as it has to be. */
  faults(): readonly string[] {
    const faults: string[] = [];
    for (const user of this.users) {
      const holders = this.cluster.holdersOf(user).join();
      const owner = ringOf(this.#ring).owner(user);
      if (holders !== owner) faults.push(`${user} belongs to ${owner} and is held by ${holders || 'nobody'}`);
    }
    for (const { id, holder } of this.cluster.nodes) {
      if (holder.foreignUsers > 0) faults.push(`${id} has ${holder.foreignUsers} foreign users`);
      if (holder.contested.count > 0) faults.push(`${holder.contested.count} users are contested at ${id}`);
      let bytes = 0;
      for (const held of holder.users.users()) bytes += held.inbox?.memoryBytes ?? 0;
      if (bytes !== holder.budget.bytes) faults.push(`${id} has lost ${holder.budget.bytes - bytes} bytes`);
    }
    for (const client of this.clients) faults.push(...this.#faultsOf(client));
    return faults;
  }

  #faultsOf({ user, key, at, texts, recovered }: TestClient): readonly string[] {
    const name = `${key} of ${user}`;
    const faults: string[] = [];
    if (at !== ringOf(this.#ring).owner(user)) faults.push(`${name} is attached at ${at}`);
    // once it was told that something may be lost it may lack any of it
    if (recovered.includes(false)) return faults;
    const missing = this.accepted.get(user)!.filter((text) => !texts.includes(text));
    if (missing.length > 0) faults.push(`${name} lacks ${missing.join(' ')} and was not told`);
    return faults;
  }

  /** As a sender would: to whoever holds the user and can be asked. */
  #send(user: string): void {
    const text = `m${++this.#texts}`;
    for (const node of this.cluster.nodes) {
      if (node.known(user) !== 'held') continue;
      const [status] = node.send(user, text);
      if (status === 'delivered' || status === 'queued') this.accepted.get(user)!.push(text);
      if (status !== undefined) return;
    }
  }

  async #pass(ms: number): Promise<void> {
    for (let left = ms; left > 0; left -= 50) {
      await this.cluster.pass(Math.min(50, left));
      for (const call of this.cluster.network.held.splice(0)) {
        if (this.#random() < 0.3) call.giveUp();
        call.go();
      }
      this.#comeBack();
    }
    await this.cluster.settle();
  }

  /** Clients without a place go to the owner by the newest ring. */
  #comeBack(): void {
    for (const client of this.clients) {
      if (client.isLost) client.attach(ringOf(this.#ring).owner(client.user)!);
    }
  }

  #fate(lost: number, held: number): Fate {
    const dice = this.#random() * 100;
    const isAnswer = this.#random() < 0.5;
    if (dice < lost) return isAnswer ? 'lose-answer' : 'lose-request';
    if (dice < lost + held) return isAnswer ? 'hold-answer' : 'hold-request';
    return 'pass';
  }
}

const everybody = { a: {}, b: {}, c: {} };
