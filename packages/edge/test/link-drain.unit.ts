import t from 'tap';
import { attachedOf, type Dialled, member, World } from './link-world.js';

const n1 = member('n1');
const n2 = member('n2');
const key = 'k'.repeat(16);
const drainMs = 10_000;

t.test('a drain tells everybody when to come back', async (t) => {
  const world = new World([n1, n2], { drainMs: 10_000 });
  const clients = Array.from({ length: 500 }, (_, i) => world.plain(`u${i}`));
  const sdk = world.v1('bob', { session: key, epoch: 1 });
  const greeting = world.silentV1('carol');
  const links = [world.up('n1'), world.up('n2')];
  world.advance(1000);
  for (const link of links) {
    for (const [name, request] of link.news()) {
      if (name !== 'attach') continue;
      link.says((node) => node.attached(attachedOf((request as { session: number }).session)));
    }
  }
  t.equal(world.core.status.attached, 501);
  sdk.news();
  world.core.drain();
  world.turn();
  t.equal(sdk.closedWith?.[0], 4000, 'one that can resume is closed at once');
  t.equal(world.core.size, 500, 'the others wait for the word of their nodes');
  const told = links.map((link) => ({ link, news: link.news() }));
  for (const { link, news } of told) {
    link.says((node) => {
      for (const [name, session, code, reason] of news) {
        if (name === 'leave') node.close(session as number, code as number, reason as string);
      }
    });
  }
  t.equal(told.flatMap(({ news }) => news).filter(([name]) => name === 'detach').length, 1);
  t.equal(world.core.size, 0);
  const delays = [...clients, sdk, greeting].map(({ closedWith }) => {
    t.equal(closedWith?.[0], 4000);
    return JSON.parse(closedWith![1]).retryAfterMs as number;
  });
  const inThirds = [0, 1, 2].map((third) => delays.filter((ms) => Math.floor(ms / 3334) === third).length);
  for (const count of inThirds) t.ok(count > 140 && count < 200, `${count} in a third of the time`);
  t.equal(world.core.counters.ends.drained, 502);
  const late = world.plain('late');
  t.match(late.closedWith, [4000], 'nobody comes in any more');
});

/** alice is attached at n1; the edge drains. */
function leaving(begin: (situation: ReturnType<typeof attached>) => void = () => {}) {
  const situation = attached();
  begin(situation);
  situation.world.core.drain();
  situation.world.turn();
  return situation;
}

function attached() {
  const world = new World([n1, n2], { drainMs });
  const client = world.plain(world.user('n1'));
  const link = world.up('n1');
  const { session } = link.take();
  link.news();
  return { world, client, link, session };
}

function leaves(link: Dialled): readonly unknown[] {
  return link.news().filter(([name]) => name === 'leave');
}

t.test('a plain client gets what its node had for it before it is closed', async (t) => {
  const { world, client, link, session } = leaving();
  const [[, , code, reason], ...more] = link.news() as [[string, number, number, string]];
  t.equal(code, 4000);
  t.same(more, []);
  t.equal(client.closedWith, undefined);
  link.message(session, 1, 'on its way');
  client.text('and back');
  t.match(link.news(), [['client', session]], 'it goes on as ever');
  link.says((node) => {
    node.message(session, 2, '', false, Buffer.from('the last'));
    node.close(session, code, reason);
  });
  t.same(client.news(), ['on its way', 'the last']);
  t.same(client.closedWith, [code, reason]);
  t.equal(world.core.size, 0);
  t.match(world.core.counters.ends, { drained: 1, 'closed-by-node': 0 });
});

t.test('one that does not read is waited for', async (t) => {
  const { world, client, link, session } = leaving(({ client, link, session }) => {
    client.isFull = true;
    link.message(session, 1, 'much');
  });
  t.match(link.news(), [['pause', session]]);
  client.isFull = false;
  client.session.drained();
  world.turn();
  t.match(link.news(), [
    ['continue', session],
    ['leave', session, 4000],
  ]);
});

t.test('one whose user moves meanwhile leaves the next node', async (t) => {
  const { world, client, link, session } = leaving();
  t.equal(leaves(link).length, 1);
  link.says((node) => node.repin(session, 'n2', 'h'));
  const next = world.up('n2');
  const { session: there } = next.take({ seq: 0 });
  t.match(leaves(next), [['leave', there, 4000]]);
  next.says((node) => {
    node.message(there, 1, '', false, Buffer.from('kept for it'));
    node.close(there, 4000, '');
  });
  t.same(client.news(), ['kept for it']);
  t.same(client.closedWith, [4000, '']);
});

t.test('one whose link is lost leaves when it is attached again', async (t) => {
  const { world, client, link } = leaving(({ link }) => link.lose());
  t.equal(client.closedWith, undefined, 'its node may have something for it');
  world.advance(1000);
  const again = world.up('n1');
  t.not(again, link);
  const { session } = again.take();
  t.match(leaves(again), [['leave', session, 4000]]);
});

t.test('one whose ATTACH was sent and never answered may have something at its node', async (t) => {
  const world = new World([n1], { drainMs });
  const client = world.plain('alice');
  world.up('n1').lose();
  world.core.drain();
  t.equal(client.closedWith, undefined);
  world.advance(1000);
  const again = world.up('n1');
  const { session } = again.take();
  t.match(leaves(again), [['leave', session, 4000]]);
});

t.test('one that was never attached is closed at once', async (t) => {
  const world = new World([n1], { drainMs });
  const client = world.plain('alice');
  world.core.drain();
  t.match(client.closedWith, [4000]);
});

t.test('one whose ATTACH is on its way leaves when it is answered', async (t) => {
  const world = new World([n1], { drainMs });
  const client = world.plain('alice');
  const link = world.up('n1');
  world.core.drain();
  t.equal(client.closedWith, undefined);
  const { session } = link.take();
  t.match(leaves(link), [['leave', session, 4000]]);
});

t.test('whoever is left near the end of the drain is closed as it is', async (t) => {
  const { world, client, link } = leaving();
  world.advance(drainMs / 2);
  t.equal(client.closedWith, undefined);
  world.advance(drainMs / 2 - 1);
  t.match(client.closedWith, [4000]);
  t.ok(JSON.parse(client.closedWith![1]).retryAfterMs <= drainMs / 4);
  t.equal(link.news().filter(([name]) => name === 'closed').length, 1, 'and its node is told');
  t.equal(world.core.size, 0);
});

t.test('a client that goes while it leaves: its node is told when it has what it sent', async (t) => {
  const { world, client, link, session } = leaving((situation) => situation.client.text('before'));
  client.text('behind');
  t.equal(link.news().at(-1)?.[0], 'client');
  client.session.gone(1001, '');
  t.same(link.news(), [['pause', session]]);
  link.says((node) => node.taken(session, 2));
  t.same(link.news(), [['closed', session, 1001, '']]);
  t.equal(world.core.size, 0);
  t.match(world.core.counters.ends, { 'client-left': 1, drained: 0 });
});

t.test('nobody is told to stay away for longer than a session is kept', (t) => {
  const world = new World([n1], { drainMs: 3_600_000 });
  const clients = Array.from({ length: 20 }, (_, i) =>
    world.v1(`u${i}`, { session: `${key}${i}`, epoch: 1 }),
  );
  world.core.drain();
  world.turn();
  const delays = clients.map(({ closedWith }) => JSON.parse(closedWith![1]).retryAfterMs as number);
  t.ok(Math.max(...delays) <= 30_000 && Math.max(...delays) > 20_000, `${Math.max(...delays)}`);
  t.end();
});
