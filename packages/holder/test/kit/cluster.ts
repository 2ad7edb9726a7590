import type { Member, RingState } from '@pinwheel/membership';
import { type Receipt, Receipts } from '@pinwheel/protocol';
import { buildRing, type Ring } from '@pinwheel/ring';
import { FakeClock } from '../../../sender/test/kit/fake-clock.js';
import { Holder } from '../../src/holder.js';
import { defaultHolderLimits, type HolderLimits } from '../../src/holder-options.js';
import { deliver } from '../../src/users/delivery.js';
import type { HeldUser } from '../../src/users/held-user.js';
import type { KnownUser } from '../../src/users/known-user.js';
import { FakeNetwork } from './fake-network.js';
import { FakeWork } from './fake-work.js';
import { messageTo } from './one-node.js';

const usersPerSecond = 1000;
/** Time passes in steps: what calls have led to is done in between. */
const stepMs = 10;
const mostPrevious = 4;

const rings = new Map<string, Ring>();

export function buildRingOf(ids: readonly string[]): Ring {
  return buildRing(
    ids.map((id) => ({ id })),
    { virtualNodes: 32 },
  );
}

/** For looking up owners: the same object for the same members. */
export function ringOf(ids: readonly string[]): Ring {
  const name = [...ids].sort().join();
  const ring = rings.get(name) ?? buildRingOf(ids);
  rings.set(name, ring);
  return ring;
}

/** One process: a holder, with everything around it played. */
export class ClusterNode {
  readonly id: string;
  readonly incarnation: string;
  readonly holder: Holder;
  readonly work = new FakeWork();
  isOpen = true;
  /** How often it has asked for a newer ring. */
  refreshes = 0;
  /** For how long the process has stood still, altogether: time has passed, and no timer was called. */
  stoodStillMs = 0;
  #streams = 0;

  constructor(cluster: Cluster, id: string, incarnation: string, state: RingState, limits: HolderLimits) {
    this.id = id;
    this.incarnation = incarnation;
    this.holder = new Holder({
      self: id,
      incarnation,
      state,
      clock: { now: () => cluster.clock.now() + this.stoodStillMs, after: cluster.clock.after },
      random: () => 0.5,
      soon: queueMicrotask,
      newStream: () => `${incarnation}.${++this.#streams}`,
      peers: cluster.network.peers(id),
      work: this.work,
      isOpen: () => this.isOpen,
      closeDirect: (held) => {
        for (const session of [...held.sessions]) {
          if (session.kind === 'direct') session.close({ code: 4000, name: 'moved' }, 'moved');
        }
      },
      refreshRing: () => {
        this.refreshes++;
      },
      usersPerSecond,
      limits,
    });
  }

  known(user: string): KnownUser['kind'] | undefined {
    return this.holder.users.known(user)?.kind;
  }

  held(user: string): HeldUser {
    const held = this.holder.users.get(user);
    if (held === undefined) throw new Error(`${this.id} does not hold ${user}`);
    return held;
  }

  /** Texts for a user, delivered here or not at all: of those that are not here there is no receipt. */
  send(user: string, ...texts: readonly string[]): readonly Receipt['status'][] {
    const { holder } = this;
    holder.beforeDelivery();
    const receipts = new Receipts(texts.length);
    const batch = texts.map((text) => messageTo(user, text));
    const missing = deliver(holder.users, batch, receipts, holder.second);
    return missing.has(user) ? [] : texts.map((_, i) => receipts.status(i));
  }

  messages(user: string): readonly string[] {
    return [...(this.held(user).inbox?.after(0) ?? [])].map(({ data }) => Buffer.from(data).toString());
  }
}

/** Holders that call one another over a network that does what the test wants, by rings that the test gives them. */
export class Cluster {
  readonly clock = new FakeClock();
  readonly network = new FakeNetwork();
  readonly #nodes = new Map<string, ClusterNode>();
  readonly #limits: HolderLimits;
  #processes = 0;

  /** @param ids nodes that are started, all on the ring of all of them. */
  constructor(ids: readonly string[], limits: Partial<HolderLimits> = {}) {
    this.#limits = { ...defaultHolderLimits, ...limits };
    for (const id of ids) this.start(id, ids);
    this.ring(ids);
  }

  node(id: string): ClusterNode {
    return this.#nodes.get(id)!;
  }

  get nodes(): readonly ClusterNode[] {
    return [...this.#nodes.values()];
  }

  /** Starts a process under that id, perhaps in the place of another one. Others learn of it with {@link ring}. */
  start(id: string, ids: readonly string[]): ClusterNode {
    this.#nodes.get(id)?.holder.stop();
    const incarnation = `${id}-${++this.#processes}`;
    const node = new ClusterNode(this, id, incarnation, this.#state(ids, [], {}), this.#limits);
    this.#nodes.set(id, node);
    this.network.listen(id, node.holder);
    return node;
  }

  /** The process is gone. Others learn of it with {@link ring}. */
  kill(id: string): void {
    this.network.unlisten(id);
    this.node(id).holder.stop();
    this.#nodes.delete(id);
  }

  /**
   * A ring of these members.
   *
   * @param at nodes that learn of it; all of them if nothing is said.
   * @param members who can be reached beside those in the ring, with what is special about them.
   */
  ring(
    ids: readonly string[],
    {
      at,
      members = {},
    }: { readonly at?: readonly string[]; readonly members?: Readonly<Record<string, Partial<Member>>> } = {},
  ): void {
    for (const node of this.nodes) {
      if (at !== undefined && !at.includes(node.id)) continue;
      const { ring, previous } = node.holder.ownership.state;
      node.holder.ringChanged(this.#state(ids, [ring, ...previous], members));
    }
  }

  /** A user whom each of these rings gives to that member. */
  userOf(...owners: readonly (readonly [ids: readonly string[], owner: string])[]): string {
    for (let i = 0; i < 100_000; i++) {
      const user = `user-${i}`;
      if (owners.every(([ids, owner]) => ringOf(ids).owner(user) === owner)) return user;
    }
    throw new Error(`no user has the owners ${JSON.stringify(owners)}`);
  }

  usersOf(
    count: number,
    ...owners: readonly (readonly [ids: readonly string[], owner: string])[]
  ): readonly string[] {
    const found: string[] = [];
    for (let i = 0; found.length < count; i++) {
      if (owners.every(([ids, owner]) => ringOf(ids).owner(`user-${i}`) === owner)) found.push(`user-${i}`);
    }
    return found;
  }

  /** What calls have led to is done. */
  async settle(): Promise<void> {
    for (let i = 0; i < 3; i++) await new Promise<void>((done) => setImmediate(done));
  }

  async pass(ms: number): Promise<void> {
    await this.settle();
    for (let left = ms; left > 0; left -= stepMs) {
      await this.clock.pass(Math.min(stepMs, left));
      await this.settle();
    }
  }

  /** Lets time pass until that is so. */
  async until(what: string, isSo: () => boolean, withinMs = 30_000): Promise<void> {
    for (let ms = 0; !isSo(); ms += stepMs) {
      if (ms >= withinMs) throw new Error(`not within ${withinMs} ms: ${what}`);
      await this.pass(stepMs);
    }
  }

  /** Ids of the nodes that hold the user. */
  holdersOf(user: string): readonly string[] {
    return this.nodes.filter(({ holder }) => holder.users.get(user) !== undefined).map(({ id }) => id);
  }

  #state(
    ids: readonly string[],
    before: readonly Ring[],
    special: Readonly<Record<string, Partial<Member>>>,
  ): RingState {
    // built anew by each process and for each change, as trackers do
    const [current] = before;
    const isSame = current?.fingerprint === ringOf(ids).fingerprint;
    const ring = isSame ? current : buildRingOf(ids);
    const members = new Map<string, Member>();
    for (const id of new Set([...ids, ...Object.keys(special)]))
      members.set(id, this.#member(id, special[id]));
    const previous: Ring[] = [];
    for (const one of before) {
      const isKnown = [ring, ...previous].some(({ fingerprint }) => fingerprint === one.fingerprint);
      if (!isKnown && one.members.length > 0) previous.push(one);
    }
    return { ring, members, generation: 1, index: '', previous: previous.slice(0, mostPrevious) };
  }

  #member(id: string, special: Partial<Member> = {}): Member {
    const incarnation = this.#nodes.get(id)?.incarnation;
    return {
      id,
      address: 'localhost',
      port: 1,
      weight: 1,
      draining: false,
      kind: 'node',
      ...(incarnation === undefined ? {} : { incarnation }),
      ...special,
    };
  }
}
