import {
  type InProcessMembership,
  inProcessMembership,
  type Membership,
  type Registration,
} from '@pinwheel/membership';
import { until } from '../../../../test/kit/until.js';
import { createNode, type NodeOptions, type PinwheelNode } from '../../src/index.js';

/** What the kit needs of a test: tap's `t` fits. */
export interface Teardown {
  teardown(end: () => void | Promise<void>): void;
}

type Options = Partial<Omit<NodeOptions, 'id' | 'membership'>>;

/** Joins and departures count soon, so that tests are quick. */
export const quickTracking = {
  joinQuietMs: 10,
  joinLongestMs: 100,
  vanishGraceMs: 50,
  reprobeMs: 20,
  probeTries: 1,
} as const;

/** Nodes of one ring, in this process. */
export class TestNodes {
  readonly membership: InProcessMembership;
  /** Sessions that came by links outlive them: a closed node may have some. */
  haveLinks = false;
  readonly #nodes = new Map<string, PinwheelNode>();

  constructor(membership: InProcessMembership) {
    this.membership = membership;
  }

  get all(): readonly PinwheelNode[] {
    return [...this.#nodes.values()];
  }

  of(id: string): PinwheelNode {
    const node = this.#nodes.get(id);
    if (node === undefined) throw new Error(`no node ${id} was started`);
    return node;
  }

  async start(id: string, options: Options = {}, membership: Membership = this.membership) {
    const node = await createNode({ id, membership, tracking: quickTracking, ...options });
    this.#nodes.set(id, node);
    return node;
  }

  /** All nodes that are in the ring by now go by one ring of these members. */
  async agree(ids: readonly string[]): Promise<void> {
    const wanted = [...ids].sort().join();
    await until(`every node has the ring of ${wanted}`, () =>
      ids.every(
        (id) =>
          this.of(id)
            .tracker.current.ring.members.map((member) => member.id)
            .join() === wanted,
      ),
    );
  }

  ownerOf(user: string): PinwheelNode {
    const owner = this.all.find((node) => node.tracker.current.ring.owner(user) === node.id);
    if (owner === undefined) throw new Error(`no started node owns ${user}`);
    return owner;
  }

  /** Names of users whom this node owns by the ring as it is. */
  usersOf(id: string, count: number): readonly string[] {
    const { ring } = this.of(id).tracker.current;
    const found: string[] = [];
    for (let i = 0; found.length < count; i++) if (ring.owner(`user-${i}`) === id) found.push(`user-${i}`);
    return found;
  }
}

/** Starts nodes with these ids; they are closed with the test, which fails when one of them keeps a session. */
export async function startNodes(
  t: Teardown,
  ids: readonly string[],
  options: Options = {},
): Promise<TestNodes> {
  const nodes = new TestNodes(inProcessMembership());
  t.teardown(async () => {
    await Promise.all(nodes.all.map((node) => node.close()));
    await nodes.membership.close();
    const kept = nodes.all.filter((node) => node.sessions > 0 && !nodes.haveLinks).map((node) => node.id);
    if (kept.length > 0) throw new Error(`closed nodes keep sessions: ${kept.join()}`);
  });
  for (const id of ids) await nodes.start(id, options);
  await nodes.agree(ids);
  return nodes;
}

/** Its entry stays when it is closed: for everybody else it has died without a word. */
export function dyingMembership(membership: InProcessMembership): Membership {
  return {
    description: membership.description,
    watch: (listener) => membership.watch(listener),
    refresh: () => membership.refresh(),
    register: async (self: Registration) => {
      const { drain } = await membership.register(self);
      return { drain, leave: async () => {} };
    },
    close: async () => {},
  };
}
