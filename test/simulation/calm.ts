import type { Dice } from './dice.js';
import type { SimEvent } from './event.js';
import { calmSetup, type Setup } from './setup.js';

const nodes = ['n1', 'n2', 'n3', 'n4', 'n5', 'n6'];
const firstMs = 1500;

/** Many users, a pace that is felt, and a membership of which everybody hears soon. */
export function calmSetupOf(seed: number, dice: Dice): Setup {
  const count = dice.whole(20, 60);
  return {
    ...calmSetup,
    seed,
    nodes: nodes.slice(0, dice.whole(2, 4)),
    edges: ['e1', 'e2'].slice(0, dice.whole(1, 2)),
    clients: Array.from({ length: count }, (_, i) => {
      return { name: `user${i}-1`, user: `user${i}`, speech: 'v1' as const };
    }),
    usersPerSecond: dice.pick([5, 10, 20]),
    drainMs: 60_000,
    lateMs: 100,
    isCalm: true,
  };
}

/** Nodes join and drain, now and then before everybody has moved; messages go to and fro. */
export function calmOf({ clients, senders }: Setup, dice: Dice): readonly SimEvent[] {
  const events: SimEvent[] = [];
  let at = firstMs;
  for (let change = dice.whole(1, 3); change > 0; change--) {
    events.push({ at, kind: dice.chance(0.6) ? 'join' : 'drain', node: dice.pick(nodes) });
    const restMs = dice.whole(500, 8000);
    for (let i = dice.whole(0, 10); i > 0; i--) {
      const { name, user } = dice.pick(clients);
      const sentAt = at + dice.whole(0, restMs);
      events.push({ at: sentAt, kind: 'send', sender: dice.pick(senders), user, count: 1 });
      if (dice.chance(0.3)) events.push({ at: sentAt, kind: 'client sends', client: name, count: 1 });
    }
    at += restMs;
  }
  return events.sort((a, b) => a.at - b.at);
}
