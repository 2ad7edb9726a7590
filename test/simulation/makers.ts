import type { Dice } from './dice.js';
import type { SimEvent } from './event.js';
import type { Setup } from './setup.js';

export type Makers = readonly (readonly [weight: number, make: Make])[];
export type Make = (setup: Setup, dice: Dice, at: number) => SimEvent;

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
export const makers: Makers = [
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
export const wideMakers: Makers = [
  ...makers,
  [60, (s, d, at) => ({ at, kind: 'dismiss', node: nodeOf(s, d), forMs: d.ms(3000) })],
  [10, (s, d, at) => ({ at, kind: 'drain', node: nodeOf(s, d) })],
  [15, (s, d, at) => ({ at, kind: 'join', node: nodeOf(s, d) })],
  [10, (s, d, at) => ({ at, kind: 'blind', process: nodeOf(s, d), forMs: d.ms(4000) })],
];
