import { defaultHolderLimits } from '@pinwheel/holder';
import { seeded } from '../kit/seeded.js';
import type { SimEvent } from './event.js';
import type { Schedule } from './schedule.js';
import type { ClientSetup, Setup } from './setup.js';

class Dice {
  readonly random: () => number;

  constructor(seed: number) {
    this.random = seeded(seed);
  }

  whole(least: number, most: number): number {
    return least + Math.floor(this.random() * (most - least + 1));
  }

  chance(probability: number): boolean {
    return this.random() < probability;
  }

  pick<T>(all: readonly T[]): T {
    return all[Math.floor(this.random() * all.length)]!;
  }

  /** Mostly short, seldom long. */
  ms(most: number): number {
    return Math.round(this.random() ** 3 * most);
  }
}

const userNames = ['alice', 'bob', 'carol', 'dave', 'erin', 'frank'];
const firstEventMs = 1500;

/** `wide`: so many nodes, coming and going, that a node does not ask everybody. */
export type Kind = 'small' | 'wide';

/** The schedule of a seed: who is there, and what befalls them. */
export function scheduleOf(seed: number, kind: Kind = 'small'): Schedule {
  const dice = new Dice(seed * 2 + 1);
  const small = setupOf(seed, dice);
  if (kind === 'small') return { setup: small, events: eventsOf(small, dice, makers) };
  const setup: Setup = {
    ...small,
    nodes: ['n1', 'n2', 'n3', 'n4', 'n5', 'n6', 'n7', 'n8', 'n9'].slice(0, dice.whole(6, 9)),
    clients: small.clients.slice(0, 3),
    windowMs: dice.pick([50, 500]),
    mostRings: 1,
  };
  return { setup, events: eventsOf(setup, dice, wideMakers) };
}

function setupOf(seed: number, dice: Dice): Setup {
  const users = userNames.slice(0, dice.whole(3, 6));
  const clients: ClientSetup[] = users.flatMap((user) =>
    Array.from({ length: dice.chance(0.35) ? 2 : 1 }, (_, i): ClientSetup => {
      return { name: `${user}-${i + 1}`, user, speech: dice.chance(0.75) ? 'v1' : 'plain' };
    }),
  );
  const isTight = dice.chance(0.15);
  const keepAliveMs = dice.pick([3000, 6000]);
  const resumeWindowMs = dice.pick([3000, 10_000, 20_000]);
  return {
    seed,
    nodes: ['n1', 'n2', 'n3', 'n4'].slice(0, dice.whole(2, 4)),
    edges: ['e1', 'e2'].slice(0, dice.whole(1, 2)),
    senders: ['s1', 's2'].slice(0, dice.whole(1, 2)),
    clients,
    limits: {
      ...defaultHolderLimits,
      resumeWindowMs,
      plainWindowMs: Math.min(resumeWindowMs, 10_000),
      keepAliveMs,
      maxInboxMessages: isTight ? dice.whole(1, 8) : 256,
      maxLinkUnreadBytes: isTight ? dice.pick([200, 67_108_864]) : 67_108_864,
      tombstoneMs: dice.pick([50, 2000, 300_000]),
      staleCopyMs: dice.pick([500, 5000]),
      quiesceMs: dice.pick([20, 5000]),
    },
    edgeKeepAliveMs: keepAliveMs,
    usersPerSecond: dice.pick([2, 50, 500]),
    callMs: dice.pick([500, 2000, 5000]),
    claimMs: dice.pick([1000, 5000, 10_000]),
    drainMs: dice.pick([2000, 15_000]),
    windowMs: dice.pick([1000, 10_000, 120_000]),
    mostRings: dice.pick([1, 8]),
    applicationMs: dice.pick([0, 100, 8000]),
    isTight,
  };
}

type Makers = readonly (readonly [weight: number, make: Make])[];
type Make = (setup: Setup, dice: Dice, at: number) => SimEvent;

const anyNode = ({ nodes }: Setup, dice: Dice): string =>
  dice.pick(nodes.length > 4 ? nodes : [...nodes, 'n5']);
const nodeOf = ({ nodes }: Setup, dice: Dice): string => dice.pick(nodes);
const clientOf = ({ clients }: Setup, dice: Dice): string => dice.pick(clients).name;
const userOf = ({ clients }: Setup, dice: Dice): string => dice.pick(clients).user;
const pairOf = (s: Setup, d: Dice): { readonly one: string; readonly other: string } => {
  const one = nodeOf(s, d);
  return { one, other: d.pick([...s.nodes, ...s.edges, ...s.senders].filter((id) => id !== one)) };
};
const told = (dice: Dice): number | undefined => (dice.chance(0.3) ? undefined : dice.ms(8000));

/** What may happen, and how often beside the others. */
const makers: Makers = [
  [
    40,
    (s, d, at) => ({
      at,
      kind: 'send',
      sender: d.pick(s.senders),
      user: userOf(s, d),
      count: d.chance(0.2) ? d.whole(2, 6) : 1,
    }),
  ],
  [
    14,
    (s, d, at) => ({
      at,
      kind: 'client sends',
      client: clientOf(s, d),
      count: d.chance(0.2) ? d.whole(2, 6) : 1,
    }),
  ],
  [5, (s, d, at) => ({ at, kind: 'client sends to', client: clientOf(s, d), user: userOf(s, d) })],
  [5, (s, d, at) => ({ at, kind: 'join', node: anyNode(s, d) })],
  [3, (s, d, at) => ({ at, kind: 'drain', node: anyNode(s, d) })],
  [
    3,
    (s, d, at) => ({
      at,
      kind: 'crash',
      node: anyNode(s, d),
      silent: d.chance(0.3),
      noticedMs: d.ms(8000),
      backMs: d.chance(0.6) ? d.ms(6000) : undefined,
    }),
  ],
  [
    3,
    (s, d, at) => ({
      at,
      kind: 'pause',
      node: nodeOf(s, d),
      forMs: d.ms(15_000),
      noticedMs: d.chance(0.6) ? d.ms(6000) : undefined,
    }),
  ],
  [5, (s, d, at) => ({ at, kind: 'dismiss', node: anyNode(s, d), forMs: d.ms(10_000) })],
  [
    3,
    (s, d, at) => ({
      at,
      kind: 'blind',
      process: d.pick([...s.nodes, ...s.edges, ...s.senders]),
      forMs: d.ms(12_000),
    }),
  ],
  [4, (s, d, at) => ({ at, kind: 'part', ...pairOf(s, d), forMs: d.ms(12_000) })],
  [
    4,
    (s, d, at) => ({
      at,
      kind: 'cut link',
      edge: d.pick(s.edges),
      node: nodeOf(s, d),
      edgeToldMs: told(d),
      nodeToldMs: told(d),
    }),
  ],
  [
    2,
    (s, d, at) => ({
      at,
      kind: 'freeze link',
      edge: d.pick(s.edges),
      node: nodeOf(s, d),
      from: d.pick(['edge', 'node', 'both'] as const),
      forMs: d.ms(12_000),
    }),
  ],
  [4, (_s, d, at) => ({ at, kind: 'lose calls', rate: d.random() * 0.6, forMs: d.ms(8000) })],
  [2, (_s, d, at) => ({ at, kind: 'slow calls', mostMs: d.ms(3000), forMs: d.ms(8000) })],
  [
    1,
    (s, d, at) => ({
      at,
      kind: 'crash edge',
      edge: d.pick(s.edges),
      silent: d.chance(0.3),
      backMs: d.ms(3000),
    }),
  ],
  [1, (s, d, at) => ({ at, kind: 'pause edge', edge: d.pick(s.edges), forMs: d.ms(12_000) })],
  [1, (s, d, at) => ({ at, kind: 'drain edge', edge: d.pick(s.edges), backMs: d.ms(5000) })],
  [
    5,
    (s, d, at) => ({
      at,
      kind: 'cut client',
      client: clientOf(s, d),
      clientToldMs: d.ms(4000),
      edgeToldMs: d.ms(15_000),
    }),
  ],
  [2, (s, d, at) => ({ at, kind: 'client sleeps', client: clientOf(s, d), forMs: d.ms(20_000) })],
  [2, (s, d, at) => ({ at, kind: 'client does not read', client: clientOf(s, d), forMs: d.ms(8000) })],
  [1, (s, d, at) => ({ at, kind: 'client closes', client: clientOf(s, d) })],
  [1, (s, d, at) => ({ at, kind: 'pause moves', node: nodeOf(s, d), forMs: d.ms(10_000) })],
];
/** Mostly the ring changes. */
const wideMakers: Makers = [
  ...makers,
  [60, (s, d, at) => ({ at, kind: 'dismiss', node: nodeOf(s, d), forMs: d.ms(3000) })],
  [10, (s, d, at) => ({ at, kind: 'drain', node: nodeOf(s, d) })],
  [15, (s, d, at) => ({ at, kind: 'join', node: nodeOf(s, d) })],
  [10, (s, d, at) => ({ at, kind: 'blind', process: nodeOf(s, d), forMs: d.ms(4000) })],
];

function eventsOf(setup: Setup, dice: Dice, makers: Makers): readonly SimEvent[] {
  const total = makers.reduce((sum, [weight]) => sum + weight, 0);
  const count = dice.whole(30, 140);
  // some schedules hurry: what happens happens at once
  const gapMs = dice.pick([20, 80, 250]);
  const events: SimEvent[] = [];
  let at = firstEventMs;
  for (let i = 0; i < count; i++) {
    at += Math.round(dice.random() * 2 * gapMs);
    let luck = dice.random() * total;
    const [, make] = makers.find(([weight]) => {
      luck -= weight;
      return luck < 0;
    })!;
    events.push(make(setup, dice, at));
  }
  return events;
}
