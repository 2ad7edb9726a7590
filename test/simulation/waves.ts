import type { Dice } from './dice.js';
import type { SimEvent } from './event.js';
import type { Setup } from './setup.js';

const nodes = ['n1', 'n2', 'n3', 'n4', 'n5', 'n6', 'n7', 'n8', 'n9'];
const firstMs = 1500;
/** Nothing that happens at once is heard at once. */
const heardMs = 300;

/** So many nodes that one does not ask everybody, and no former rings to speak of. */
export function wavesSetup(small: Setup, dice: Dice): Setup {
  return {
    ...small,
    nodes,
    clients: small.clients.filter(({ speech }) => speech === 'v1').slice(0, 5),
    limits: { ...small.limits, tombstoneMs: 300_000 },
    usersPerSecond: dice.pick([50, 500]),
    windowMs: dice.pick([50, 500]),
    mostRings: 1,
  };
}

/**
 * In each wave most of the nodes leave, in two parts, so that users move twice, and come back together. Whoever has their users
 * then is far down the ring for some of them, and keeps them, because moves are paused: the owners have to find them.
 */
export function wavesOf(setup: Setup, dice: Dice): readonly SimEvent[] {
  const events: SimEvent[] = [];
  const { clients, senders } = setup;
  let at = firstMs;
  for (let wave = dice.whole(2, 4); wave > 0; wave--) {
    const leaving = shuffled(nodes, dice).slice(0, dice.whole(6, 8));
    const first = dice.whole(3, leaving.length - 1);
    const secondAt = at + dice.whole(600, 1200);
    const backAt = secondAt + dice.whole(600, 1500);
    for (const [i, node] of leaving.entries()) {
      const from = (i < first ? at : secondAt) + dice.whole(0, 50);
      events.push({ at: from, kind: 'dismiss', node, forMs: backAt + dice.whole(0, 50) - from });
    }
    for (const node of nodes)
      events.push({ at: backAt - 20, kind: 'pause moves', node, forMs: dice.whole(500, 3000) });
    for (const { name, user } of clients) {
      const cutAt = backAt + dice.whole(50, 2 * heardMs);
      events.push({ at: at + dice.whole(0, 3000), kind: 'send', sender: dice.pick(senders), user, count: 1 });
      events.push({ at: cutAt, kind: 'cut client', client: name, clientToldMs: 1, edgeToldMs: dice.ms(200) });
    }
    at = backAt + dice.whole(1000, 4000);
  }
  return events.sort((a, b) => a.at - b.at);
}

function shuffled<T>(all: readonly T[], dice: Dice): readonly T[] {
  const left = [...all];
  return all.map(() => left.splice(dice.whole(0, left.length - 1), 1)[0]!);
}
