import t from 'tap';
import { member, World } from './link-world.js';

const n1 = member('n1');
const n2 = member('n2');

/** A plain client is attached at n1. */
function attached(options = {}) {
  const world = new World([n1], options);
  const client = world.plain('alice');
  const link = world.up('n1');
  const { session } = link.take();
  link.news();
  return { world, client, link, session };
}

t.test('while an edge drains', async (t) => {
  t.test('a node closes a session for a reason of its own: that is what counts', async (t) => {
    const { world, client, link, session } = attached();
    world.core.drain();
    t.match(link.news(), [['leave', session]]);
    link.says((node) => node.close(session, 4500, 'disconnected'));
    t.match(client.closedWith, [4500]);
    t.match(world.core.counters.ends, { 'closed-by-node': 1, drained: 0 });
  });

  t.test('whom no node has closed by its last quarter comes back within a quarter', async (t) => {
    const { world } = attached({ drainMs: 10_000 });
    const clients = Array.from({ length: 20 }, (_, i) => world.plain(`u${i}`));
    world.advance(100);
    world.core.drain();
    world.advance(7600);
    const waits = clients.map(({ closedWith }) => JSON.parse(closedWith![1]).retryAfterMs as number);
    t.ok(
      waits.every((ms) => ms <= 2500),
      `${waits}`,
    );
  });

  t.test('a client that does not read has its end behind what it has yet to read', async (t) => {
    const { world, client, link, session } = attached();
    client.isFull = true;
    link.message(session, 1, 'one');
    world.core.drain();
    t.same(link.news(), [['pause', session]]);
    client.isFull = false;
    client.session.drained();
    t.match(
      link.news().filter(([name]) => name !== 'ack'),
      [
        ['continue', session],
        ['leave', session],
      ],
    );
  });
});

t.test('a client that does not read and leaves is not one of those any more', async (t) => {
  const { world, client, link, session } = attached();
  client.isFull = true;
  link.message(session, 1, 'one');
  t.equal(world.core.status.paused, 1);
  client.session.gone(1006, '');
  t.equal(world.core.status.paused, 0);
});

t.test('clients whose last messages nobody takes make room for others when their time is over', async (t) => {
  const world = new World([]);
  const text = 'x'.repeat(65_000);
  for (let round = 0; round < 2; round++) {
    // more than half of the room, each time
    for (let i = 0; i < 200; i++) {
      const client = world.plain('alice');
      for (let k = 0; k < 4; k++) client.text(text);
      client.session.gone(1000, '');
    }
    t.equal(world.core.size, 200);
    world.advance(32_000);
    t.equal(world.core.size, 0);
  }
});

t.test('another process has the place of a member', async (t) => {
  const [old, next] = ['old', 'new'].map((incarnation, i) => ({ ...n2, incarnation, port: i + 1 }));
  const world = new World([old!]);
  world.plain('alice');
  const link = world.up('n2');
  link.take();
  world.setMembers([next!]);
  world.plain('bob');
  const replaced = world.link('n2');
  t.equal(replaced.to.port, 2, 'who comes now comes to that one');
  replaced.open();
  replaced.greet(1, 'n2', 'new');
  replaced.take();
  world.advance(7000);
  t.match(link.closedWith, [1001], 'and the others follow');
  replaced.take();
  world.plain('carol');
  replaced.take();
  t.equal(world.dials.length, 2, 'by one link');
});
