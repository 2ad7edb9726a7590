import t from 'tap';
import { attachedOf, type Dialled, member, World } from './link-world.js';

const n1 = member('n1');
const n2 = member('n2');

/** A plain client of a user of n1 is attached there. */
function attached(members = [n1, n2], options = {}) {
  const world = new World(members, options);
  const user = world.user('n1');
  const client = world.plain(user);
  const link = world.up('n1');
  const { session } = link.take();
  link.news();
  return { world, user, client, link, session };
}

/** Takes everybody who is to be attached now. */
function takeAll(link: Dialled): void {
  for (const [name, request] of link.news()) {
    const { session } = request as { session: number };
    if (name === 'attach') link.says((node) => node.attached(attachedOf(session)));
  }
}

const detaches = (said: readonly (readonly unknown[])[]): number =>
  said.filter(([name]) => name === 'detach').length;

t.test('a session is sent on', async (t) => {
  t.test('ever again, and taken each time: nobody waits', async (t) => {
    const { world, link } = attached();
    let [at, session] = [link, 1];
    for (let i = 1; i <= 20; i++) {
      const to = i % 2 === 1 ? 'n2' : 'n1';
      at.says((node) => node.repin(session, to, `h${i}`));
      at = world.up(to);
      session = at.take().session;
    }
    t.equal(world.core.counters.repins, 20);
  });

  t.test('too often in a row: the tries after its wait count anew', async (t) => {
    const { world, link } = attached();
    let at = link;
    let { session } = { session: 1 };
    for (let i = 1; i <= 9; i++) {
      const to = i % 2 === 1 ? 'n2' : 'n1';
      at.says((node) => node.repin(session, to, ''));
      at = world.up(to);
      if (i < 9) session = at.attach().session;
    }
    world.advance(150);
    session = link.attach().session;
    link.says((node) => node.repin(session, 'n2', 'h'));
    t.match(world.link('n2').attach(), { handoff: 'h' });
  });

  t.test(
    'to somebody who is not known, again and again: after it was attached it waits shortly',
    async (t) => {
      const { world, link } = attached();
      const waitMs = (session: number): number => {
        const from = world.now;
        link.news();
        link.says((node) => node.repin(session, 'n9', ''));
        const before = link.said.length;
        for (let i = 0; i < 10_000 && !link.said.slice(before).some(([name]) => name === 'attach'); i++)
          world.advance(5);
        return world.now - from;
      };
      let longest = 0;
      let session = 1;
      for (let i = 0; i < 8; i++) {
        longest = Math.max(longest, waitMs(session));
        session = link.attach().session;
      }
      t.ok(longest > 100, `${longest} ms`);
      link.says((node) => node.attached(attachedOf(session)));
      t.ok(waitMs(session) <= 75);
    },
  );

  t.test('to a member that is no node: nobody is dialled, and it starts anew from the ring', async (t) => {
    const { world, link, session } = attached([n1, member('b1', { kind: 'foreign' })]);
    link.says((node) => node.repin(session, 'b1', ''));
    t.equal(world.dials.length, 1);
    world.advance(150);
    link.take();
  });

  t.test('through more streams than a node reads of: the newest are said, each once', async (t) => {
    const { world, link } = attached();
    let [at, session] = [link, 1];
    const streams = ['s1', 's2', 's3', 's4', 's5', 's6', 's7', 's8', 's9', 's10', 's8', 's11'];
    for (const [i, stream] of streams.entries()) {
      const to = i % 2 === 0 ? 'n2' : 'n1';
      at.says((node) => node.repin(session, to, ''));
      at = world.up(to);
      session = at.take({ stream, seq: i }).session;
    }
    at.says((node) => node.repin(session, 'n2', ''));
    t.same(
      world
        .up('n2')
        .attach()
        .positions.map(({ stream }) => stream),
      ['s11', 's8', 's10', 's9', 's7', 's6', 's5', 's4'],
    );
  });

  t.test('and its stream begins anew: what is written of that one is acknowledged', async (t) => {
    const world = new World([n1, n2]);
    world.plain(world.user('n1'));
    const first = world.up('n1');
    const { session } = first.take({ stream: 's', seq: 100 });
    first.news();
    world.advance(1500);
    t.same(first.news(), [], 'nothing was written');
    first.says((node) => node.repin(session, 'n2', ''));
    const next = world.up('n2');
    const again = next.take({ stream: 't', seq: 0, recovered: false }).session;
    next.message(again, 1, 'one');
    next.news();
    world.advance(1500);
    t.same(next.news(), [['ack', again, 1]]);
  });
});

t.test('a link that is lost', async (t) => {
  t.test('takes with it what was to be said: the next one begins with HELLO', async (t) => {
    const { world, client, link } = attached();
    client.session.received(Buffer.from('under way'), false);
    link.lose();
    world.advance(60);
    t.same(
      world.up('n1').said.map(([name]) => name),
      ['hello', 'attach'],
    );
  });

  t.test('and cannot be had again at once: its sessions stay with its member', async (t) => {
    const { world, link } = attached();
    link.lose();
    world.setMembers([{ ...n1, draining: true }, n2]);
    for (let i = 0; i < 5; i++) {
      const dialled = world.dials.length;
      for (let i = 0; i < 10_000 && world.dials.length === dialled; i++) world.advance(10);
      world.link('n1').lose();
    }
    t.ok(world.dials.every(({ to }) => to.id === 'n1'));
    t.equal(world.core.counters.linksLost, 1, 'those that were never up are not lost');
    world.advance(2000);
    world.up('n1').take();
  });

  t.test('is not dialled when nobody waits for it any more', async (t) => {
    const world = new World([n1]);
    const client = world.v1('bob');
    const link = world.up('n1');
    link.take();
    link.lose();
    client.session.gone(1006, '');
    world.advance(10_000);
    t.equal(world.dials.length, 1);
    world.v1('bob');
    t.equal(world.dials.length, 2, 'until somebody does');
  });

  t.test('by nobody is dialled at once when somebody comes', async (t) => {
    const { world, user, client, link } = attached();
    client.session.gone(1000, '');
    link.lose();
    world.plain(user);
    t.equal(world.dials.length, 2);
  });

  t.test('is dialled no more often for a thousand who wait than for one', async (t) => {
    const world = new World([n1]);
    for (let i = 0; i < 1000; i++) world.plain(`u${i}`);
    for (let ms = 0; ms < 10_000; ms += 10) {
      if (world.core.status.linksOpening > 0) world.link('n1').lose();
      world.advance(10);
    }
    t.ok(world.dials.length < 50, `${world.dials.length} dials`);
  });
});

t.test('a member that was gone and is back', async (t) => {
  t.test('has as long to answer as ever', async (t) => {
    const { world, link } = attached();
    world.setMembers([n2]);
    world.advance(500);
    world.setMembers([n1, n2]);
    link.isHung = true;
    world.advance(3000);
    t.equal(link.closedWith, undefined);
  });

  t.test('and leaves again: its grace begins anew', async (t) => {
    const { world, link, session } = attached();
    world.setMembers([n2]);
    world.advance(4000);
    world.setMembers([n1, n2]);
    world.advance(4000);
    world.setMembers([n2]);
    world.advance(4000);
    t.equal(detaches(link.news()), 0);
    world.advance(2000);
    t.same(link.news(), [['detach', session, 0]]);
  });

  t.test('while its sessions leave in turn: the others stay', async (t) => {
    const world = new World([n1, n2], { attachesPerSecond: 10 });
    for (let i = 0; i < 30; i++) world.plain(world.user('n1', `of-${i}`));
    const link = world.up('n1');
    for (let i = 0; i < 50; i++) {
      takeAll(link);
      world.advance(100);
    }
    t.equal(world.core.status.attached, 30);
    world.setMembers([n2]);
    world.advance(5500);
    const left = detaches(link.news());
    t.ok(left > 0 && left < 20, `${left} have left`);
    world.setMembers([n1, n2]);
    world.advance(10_000);
    t.equal(detaches(link.news()), 0);
  });
});

t.test('the process of a member', async (t) => {
  t.test('becomes known after its link was dialled: it is the same', async (t) => {
    const world = new World([n1]);
    world.plain('alice');
    world.setMembers([{ ...n1, incarnation: 'x' }]);
    world.up('n1').take();
    t.equal(world.dials.length, 1);
  });

  t.test('said who it is before membership did: it is the same', async (t) => {
    const world = new World([{ ...n1, incarnation: 'old' }]);
    world.plain('alice');
    const link = world.link('n1');
    link.open();
    link.greet(1, 'n1', 'new');
    link.take();
    link.news();
    world.setMembers([{ ...n1, incarnation: 'new' }]);
    world.advance(10_000);
    t.same(
      link.news().filter(([name]) => name === 'detach'),
      [],
    );
    t.equal(link.closedWith, undefined);
  });
});

t.test('who waits for a turn and leaves takes no turn', async (t) => {
  const world = new World([n1], { attachesPerSecond: 10 });
  const clients = Array.from({ length: 5 }, (_, i) => world.plain(`u${i}`));
  world.up('n1');
  const { size } = world.core.queue;
  t.ok(size > 0);
  clients.at(-1)!.session.gone(1000, '');
  t.equal(world.core.queue.size, size - 1);
});

t.test('what a turn has to say leaves before its end when it is much', async (t) => {
  const world = new World([n1]);
  const clients = Array.from({ length: 20 }, (_, i) => world.plain(`u${i}`));
  const link = world.up('n1');
  world.advance(100);
  takeAll(link);
  const before = link.said.length;
  for (const { session } of clients) session.received(Buffer.alloc(60_000, 'x'), false);
  t.ok(link.said.length > before, 'more than a mebibyte');
  t.equal(link.news().length, 20);
});

t.test('an edge that is closed in the midst of a turn has said what it had to say', async (t) => {
  const { world, client, link } = attached();
  client.session.received(Buffer.from('last'), false);
  world.core.close();
  t.match(link.news(), [['client', 1]]);
});
