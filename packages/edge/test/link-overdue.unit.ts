import t from 'tap';
import { attachedOf, type FakeClient, member, World } from './link-world.js';

const many = 1000;
const n1 = member('n1');

/** How many are closed in each stretch between two turns of the event loop, as far as there were any. */
function closesPerTurn(world: World, clients: readonly FakeClient[]): readonly number[] {
  const soon = world.soon.bind(world);
  const counts: number[] = [];
  let before = 0;
  const look = (): void => {
    const closed = clients.filter(({ closedWith }) => closedWith !== undefined).length;
    if (closed > before) counts.push(closed - before);
    before = closed;
  };
  world.soon = (call) =>
    soon(() => {
      look();
      call();
    });
  world.advance(40_000);
  look();
  return counts;
}

const users = Array.from({ length: many }, (_, i) => `u${i}`);

for (const [who, open, code] of [
  [
    'whom no node takes',
    () => {
      const world = new World([]);
      return { world, clients: users.map((user) => world.plain(user)) };
    },
    4006,
  ],
  [
    'who say no hello',
    () => {
      const world = new World([n1]);
      return { world, clients: users.map((user) => world.silentV1(user)) };
    },
    4008,
  ],
  [
    'who do not read',
    () => {
      const world = new World([n1]);
      const clients = users.map((user) => world.plain(user));
      const link = world.up('n1');
      world.advance(1000);
      for (const [name, request] of link.news()) {
        if (name !== 'attach') continue;
        const { session } = request as { session: number };
        link.says((node) => node.attached(attachedOf(session)));
      }
      for (const client of clients) client.session.full();
      return { world, clients };
    },
    4002,
  ],
] as const) {
  t.test(`many clients ${who} are closed some a turn: the others' messages go on in between`, async (t) => {
    const { world, clients } = open();
    const counts = closesPerTurn(world, clients);
    t.ok(clients.every(({ closedWith }) => closedWith?.[0] === code));
    t.ok(counts.length >= 5 && Math.max(...counts) <= 200, `${counts}`);
    t.equal(world.core.size, 0);
  });
}
