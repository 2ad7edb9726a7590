import t from 'tap';
import type { EdgeSession } from '../src/link/edge-session.js';
import { PartingSessions } from '../src/link/parting-sessions.js';
import { attachedOf, clientBytes, type Dialled, member, messageBytes, World } from './link-world.js';

const n1 = member('n1');
const n2 = member('n2');
const n3 = member('n3');
const key = 'k'.repeat(16);

/** alice is attached at n1 and has had message 1. */
function attached(members = [n1, n2], options = {}) {
  const world = new World(members, options);
  const user = world.user('n1');
  const client = world.plain(user);
  const link = world.up('n1');
  const request = link.take();
  link.message(request.session, 1, 'one');
  client.news();
  link.news();
  return { world, user, client, link, request, session: request.session };
}

t.test('a node sends a session elsewhere', async (t) => {
  t.test('with messages under way in both directions: none is lost, none is doubled', async (t) => {
    const { world, client, link, request, session } = attached();
    client.text('first');
    client.text('second');
    link.says((node) => {
      node.message(session, 2, '', false, Buffer.from('two'));
      node.message(session, 3, '', false, Buffer.from('three'));
      node.taken(session, 1);
      node.repin(session, 'n2', 'h1');
      node.message(session, 4, '', false, Buffer.from('too late'));
    });
    t.same(client.news(), ['two', 'three'], 'what came before is written, what comes behind is not');
    t.same(
      link.news().filter(([name]) => name !== 'client'),
      [],
      'the old node is told nothing',
    );
    client.text('third');
    const next = world.up('n2');
    const again = next.take({ seq: 3, taken: 1 });
    t.match(again, { handoff: 'h1', resumes: true, key: request.key, positions: [{ stream: 's', seq: 3 }] });
    t.same(
      next.news(),
      [
        ['client', again.session, clientBytes(2, 'second')],
        ['client', again.session, clientBytes(3, 'third')],
      ],
      'what no node has processed is sent again, in order',
    );
    const { framesDropped } = world.core.counters;
    link.message(session, 5, 'from a stale holder');
    t.same(client.news(), [], 'frames count only from the link that it is pinned to');
    t.equal(world.core.counters.framesDropped, framesDropped + 1);
    next.message(again.session, 4, 'four');
    t.same(client.news(), ['four']);
    t.equal(client.closedWith, undefined);
  });

  t.test(
    'in answer to ATTACH, eight times in a row; then it waits, and starts anew from the ring',
    async (t) => {
      const world = new World([n1, n2]);
      const client = world.plain(world.user('n1'));
      let link = world.up('n1');
      for (let i = 1; i <= 8; i++) {
        const { session, handoff } = link.attach();
        t.equal(handoff, i === 1 ? '' : `h${i - 1}`);
        const to = i % 2 === 1 ? 'n2' : 'n1';
        link.says((node) => node.repin(session, to, `h${i}`));
        link = world.up(to);
      }
      const ninth = link.attach();
      link.says((node) => node.repin(ninth.session, 'n2', 'h9'));
      t.same([...world.link('n1').news(), ...world.link('n2').news()], [], 'nobody is asked for a moment');
      world.advance(150);
      t.match(world.link('n1').attach(), { handoff: '' });
      t.equal(client.closedWith, undefined);
    },
  );

  t.test('to a member that is not known: it waits, and starts anew from the ring', async (t) => {
    const { world, link, session } = attached();
    const { refreshes } = world.tracker;
    link.says((node) => node.repin(session, 'n9', 'h'));
    t.same(link.news(), []);
    t.equal(world.tracker.refreshes, refreshes + 1, 'the node knows a newer ring: it is asked for');
    world.advance(150);
    t.match(link.attach(), { handoff: '', resumes: true });
  });

  t.test('of pinwheel.v1: its client is welcomed anew only when the stream is another one', async (t) => {
    const world = new World([n1, n2]);
    const client = world.v1(world.user('n1'));
    const first = world.up('n1');
    first.take({ stream: 's' });
    first.message(1, 1, 'one');
    client.bytes(5, 1, 1, 0, 0, 0);
    client.says('mine');
    client.news();
    first.says((node) => node.repin(1, 'n2', 'h'));
    const second = world.up('n2');
    second.take({ stream: 's', seq: 1, taken: 0 });
    t.same(client.v1News(), [], 'the same stream: it sees nothing of it');
    t.same(second.news(), [
      ['client', 1, clientBytes(1, 'mine')],
      ['ack', 1, 1],
    ]);
    second.says((node) => node.repin(1, 'n1', 'h2'));
    first.take({ stream: 'other', seq: 5, taken: 1, recovered: false });
    t.match(client.v1News(), [{ type: 'welcome', stream: 'other', seq: 5, recovered: false, taken: 1 }]);
    client.bytes(5, 1, 6, 0, 0, 0);
    first.message(2, 6, 'six');
    t.same(client.v1News(), [messageBytes(6, 'six')]);
    t.same(first.news(), [], 'an ACK for the older welcome is none for this stream');
    first.says((node) => node.repin(2, 'n2', 'h3'));
    const { positions } = second.take({ stream: 'other', seq: 6, taken: 2 });
    t.same(positions, [
      { stream: 'other', seq: 6 },
      { stream: 's', seq: 1 },
    ]);
    t.same(client.v1News(), [[5, 2, 0, 0, 0]], 'what was taken meanwhile it is told');
  });

  t.test('while it is paused: the next node is told so', async (t) => {
    const { world, client, link, session } = attached();
    client.isFull = true;
    link.message(session, 2, 'two');
    link.says((node) => node.repin(session, 'n2', 'h'));
    const next = world.up('n2');
    const again = next.take({ seq: 2 });
    t.same(next.news(), [['pause', again.session]]);
  });
});

t.test('a link is lost', async (t) => {
  t.test(
    'and comes back: its sessions are attached again at the same member, whatever the ring says',
    async (t) => {
      const { world, client, link, session } = attached();
      link.message(session, 2, 'two');
      client.text('under way');
      link.lose();
      t.equal(world.core.status.waiting, 1);
      client.text('meanwhile');
      world.setMembers([{ ...n1, draining: true }, n2]);
      world.advance(60);
      const again = world.up('n1');
      t.not(again, link);
      t.match(again.take({ seq: 2, taken: 0 }), { session: 1, positions: [{ stream: 's', seq: 2 }] });
      t.same(again.news(), [
        ['client', 1, clientBytes(1, 'under way')],
        ['client', 1, clientBytes(2, 'meanwhile')],
      ]);
      t.same(client.news(), ['two']);
      t.equal(world.core.counters.linksLost, 1);
      link.message(session, 3, 'out of a dead socket');
      t.same(client.news(), []);
    },
  );

  t.test('before ATTACH was answered: the handoff is said again', async (t) => {
    const { world, link, session } = attached();
    link.says((node) => node.repin(session, 'n2', 'h'));
    const next = world.up('n2');
    t.match(next.attach(), { handoff: 'h' });
    next.lose();
    world.advance(60);
    t.match(world.up('n2').attach(), { handoff: 'h' });
    t.equal(world.core.counters.attaches['link-lost'], 1);
  });

  t.test('and its member leaves: they are attached at the owner', async (t) => {
    const { world, user, client, link } = attached();
    link.lose();
    world.advance(500);
    world.setMembers([n2]);
    const next = world.up('n2');
    const { session } = next.take({ stream: 'new', seq: 0, recovered: false });
    t.equal((next.said.find(([name]) => name === 'attach')![1] as { user: string }).user, user);
    next.message(session, 1, 'here');
    t.same(client.news(), ['here']);
    t.notOk(
      world.dials.slice(world.dials.indexOf(next) + 1).some(({ to }) => to.id === 'n1'),
      'nobody is dialled who has left',
    );
  });

  t.test('and its member is replaced by another incarnation: they go to the owner', async (t) => {
    const old = member('n1', { incarnation: 'old' });
    const { world, link } = attached([old]);
    link.lose();
    world.setMembers([member('n1', { incarnation: 'new', port: 2 })]);
    const next = world.link('n1');
    t.equal(next.to.port, 2);
    next.open();
    next.greet(1, 'n1', 'new');
    t.match(next.attach(), { resumes: true });
  });

  t.test('and cannot be had for 30 s: they are closed with 4006 and told when to come back', async (t) => {
    const { world, client, link } = attached();
    const sdk = world.v1(client.session.user, { session: key, epoch: 1 });
    link.take({});
    link.lose();
    for (let seconds = 0; seconds < 29; seconds++) {
      world.advance(1000);
      const last = world.link('n1');
      if (seconds % 2 === 0) last.lose();
    }
    t.equal(client.closedWith, undefined);
    world.advance(2000);
    for (const one of [client, sdk]) {
      t.equal(one.closedWith?.[0], 4006);
      t.type(JSON.parse(one.closedWith![1]).retryAfterMs, 'number');
    }
    const dialled = world.dials.length;
    t.ok(dialled > 12 && dialled < 60, `${dialled} dials in half a minute`);
    world.link('n1').lose();
    world.advance(60_000);
    t.ok(world.dials.length <= dialled + 1, 'nobody is dialled for nobody');
  });

  t.test('after it was up for long: what failed before is no reason to wait longer', async (t) => {
    const { world, link } = attached();
    const waitMs = (): number => {
      const [dialled, from] = [world.dials.length, world.now];
      for (let i = 0; i < 1000 && world.dials.length === dialled; i++) world.advance(10);
      return world.now - from;
    };
    const lost = [link];
    for (let failures = 0; failures < 12; failures++) {
      lost.at(-1)!.lose();
      waitMs();
      lost.push(world.up('n1'));
    }
    lost.at(-1)!.lose();
    t.ok(waitMs() > 50, 'one that is up for a moment now and then is dialled ever more rarely');
    const steady = world.up('n1');
    world.advance(2100);
    steady.lose();
    t.ok(waitMs() <= 50);
  });

  t.test('with many sessions: they are attached again at the pace', async (t) => {
    const world = new World([n1], { attachesPerSecond: 1000 });
    const clients = Array.from({ length: 1000 }, (_, i) => world.plain(`u${i}`));
    const link = world.up('n1');
    const takeAll = (from: Dialled): number => {
      const attaches = from.news().filter(([name]) => name === 'attach');
      for (const [, request] of attaches) {
        from.says((node) => node.attached(attachedOf((request as { session: number }).session)));
      }
      return attaches.length;
    };
    world.advance(1200);
    t.equal(takeAll(link), 1000);
    link.lose();
    world.advance(60);
    const again = world.up('n1');
    world.advance(500);
    const half = takeAll(again);
    t.ok(half >= 400 && half <= 650, `${half} in half a second`);
    t.equal(world.core.queue.size, 1000 - half);
    world.advance(600);
    t.equal(half + takeAll(again), 1000);
    t.ok(clients.every(({ closedWith }) => closedWith === undefined));
  });

  t.test('whoever waits for a turn is not closed, however long that takes', async (t) => {
    const world = new World([n1], { attachesPerSecond: 10 });
    const clients = Array.from({ length: 500 }, (_, i) => world.plain(`u${i}`));
    let link = world.up('n1');
    const take = (): number => {
      const attaches = link.news().filter(([name]) => name === 'attach');
      for (const [, request] of attaches) {
        link.says((node) => node.attached(attachedOf((request as { session: number }).session)));
      }
      return attaches.length;
    };
    let attached = 0;
    for (let i = 0; i < 60; i++) {
      world.advance(1000);
      attached += take();
    }
    t.equal(attached, 500);
    const blink = (): void => {
      link.lose();
      // for longer than a beat
      world.advance(400);
      link = world.up('n1');
    };
    blink();
    for (let i = 0; i < 90; i++) {
      world.advance(1000);
      attached += take();
      // those who have had their turn are attached again behind the others, which is 350 turns more
      if (i === 35) blink();
    }
    t.ok(attached >= 1350, `${attached} attaches`);
    t.ok(clients.every(({ closedWith }) => closedWith === undefined));
  });

  t.test('whoever has had turns and no node takes is closed in time', async (t) => {
    const world = new World([n1]);
    const client = world.plain('ann');
    const link = world.up('n1');
    let refused = 0;
    for (let i = 0; i < 40 && client.closedWith === undefined; i++) {
      for (const [name, request] of link.news()) {
        if (name !== 'attach') continue;
        refused++;
        link.says((node) => node.repin((request as { session: number }).session, '', ''));
      }
      world.advance(1000);
    }
    t.ok(refused > 10, `${refused} refusals`);
    t.equal(client.closedWith?.[0], 4006);
  });
});

t.test('a member leaves and its link is up', async (t) => {
  t.test('for less than five seconds: nothing happens', async (t) => {
    const { world, link, client, session } = attached();
    world.setMembers([n2]);
    world.advance(4000);
    world.setMembers([n1, n2]);
    world.advance(10_000);
    t.same(
      link.news().filter(([name]) => name !== 'ack'),
      [],
    );
    link.message(session, 2, 'still here');
    t.same(client.news(), ['still here']);
  });

  t.test('for longer: its sessions are detached there and attached at the owner', async (t) => {
    const { world, link, client, session, user } = attached();
    world.setMembers([n2]);
    world.advance(4900);
    link.message(session, 2, 'until the last');
    link.news();
    world.advance(1000);
    t.same(link.news(), [['detach', session, 2]]);
    t.match(world.up('n2').take({ seq: 2 }), { user, positions: [{ stream: 's', seq: 2 }] });
    world.advance(1000);
    t.match(link.closedWith, [1001], 'nobody needs that link any more');
    t.same(client.news(), ['until the last']);
  });

  t.test('and nobody else is there: they stay while the link does', async (t) => {
    const { world, link, client, session } = attached([n1]);
    world.setMembers([]);
    world.advance(20_000);
    link.message(session, 2, 'two');
    t.same(client.news(), ['two']);
    world.setMembers([n2]);
    t.match(link.news().at(-1), ['detach', session, 2], 'and leave as soon as somebody is');
    world.up('n2').take({ seq: 2 });
  });

  t.test('a change of the ring alone moves nobody', async (t) => {
    const { world, link } = attached();
    world.setMembers([n2, { ...n1, draining: true }, n3]);
    world.advance(20_000);
    t.same(
      link.news().filter(([name]) => name !== 'ack'),
      [],
    );
  });
});

t.test('sessions that wait are judged anew when the ring changes', async (t) => {
  t.test('when it had no members', async (t) => {
    const world = new World([]);
    const client = world.plain('alice');
    world.advance(5000);
    world.setMembers([n1]);
    world.up('n1').take();
    t.equal(client.closedWith, undefined);
    t.equal(world.core.status.attached, 1);
  });

  t.test('when their owner is another one before its link was had', async (t) => {
    const world = new World([n1]);
    world.plain('alice');
    world.link('n1').lose();
    world.setMembers([n2, { ...n1, draining: true }]);
    world.up('n2').take();
    t.equal(world.core.status.attached, 1);
  });

  t.test('a session that was sent to a member that cannot be had goes back to the owner', async (t) => {
    const { world, link, session } = attached();
    link.says((node) => node.repin(session, 'n2', 'h'));
    const { refreshes } = world.tracker;
    world.link('n2').lose();
    t.equal(world.tracker.refreshes, refreshes + 1, 'it may be elsewhere by now: the members are asked for');
    world.advance(100);
    t.match(link.attach(), { handoff: '', resumes: true });
  });

  t.test(
    'a session that was sent to a member whose link is still to come goes there all the same',
    async (t) => {
      const { world, link, session } = attached();
      link.says((node) => node.repin(session, 'n2', 'h'));
      world.setMembers([n1, n2, { ...n3, draining: true }]);
      t.match(world.up('n2').attach(), { handoff: 'h' });
      t.same(link.news(), []);
    },
  );

  t.test('until then it is closed with 4006 after 30 s', async (t) => {
    const world = new World([]);
    const client = world.plain('alice');
    world.advance(29_000);
    t.equal(client.closedWith, undefined);
    world.advance(2000);
    t.match(client.closedWith, [4006]);
    t.equal(world.core.counters.ends.unavailable, 1);
  });
});

t.test(
  'a node that takes no answer to ATTACH: the client is closed after 30 s, and the node told',
  async (t) => {
    const world = new World([n1]);
    const client = world.v1('bob');
    const link = world.up('n1');
    link.news();
    world.advance(31_000);
    t.match(client.closedWith, [4006]);
    t.same(link.news(), [['detach', 1, 0]]);
    t.equal(world.core.counters.attaches['given-up'], 1);
  },
);

t.test('a node refuses a session', async (t) => {
  const world = new World([n1]);
  const client = world.v1('bob');
  const link = world.up('n1');
  const { session } = link.attach();
  link.says((node) => node.close(session, 4505, 'a newer connection of this session'));
  t.same(client.closedWith, [4505, 'a newer connection of this session']);
  t.equal(world.core.counters.attaches.refused, 1);
});

t.test('an owner that is no Pinwheel node', async (t) => {
  const warned: string[] = [];
  const log = { info: () => {}, error: () => {}, warn: (_: object, text: string) => warned.push(text) };
  const world = new World([member('b1', { kind: 'foreign' })], { log });
  const clients = [world.plain('alice'), world.plain('bob')];
  for (const { closedWith } of clients) t.match(closedWith, [4006]);
  t.equal(world.dials.length, 0);
  t.equal(warned.length, 1, 'is warned of once');
  t.match(warned[0], /--upstream tunnel/);
});

t.test('the greeting of a link', async (t) => {
  const wrongs: Record<string, (link: Dialled) => void> = {
    'another version': (link) => link.greet(2),
    'another node': (link) => link.greet(1, 'n7'),
    'a frame before HELLO': (link) => link.says((node) => node.taken(1, 1)),
    'a PING before HELLO': (link) => link.says((node) => node.ping(1)),
    'no frame at all': (link) => link.saysBytes(new Uint8Array(0)),
    'a frame that is cut off': (link) => link.saysBytes(Uint8Array.of(129, 200, 0, 0, 0, 1)),
  };
  for (const [what, act] of Object.entries(wrongs)) {
    const world = new World([n1]);
    world.plain('alice');
    const link = world.link('n1');
    link.open();
    act(link);
    t.match(link.closedWith, [1002], what);
    t.equal(world.core.counters.protocolErrors, 1);
    world.advance(200);
    world.up('n1').take();
    t.equal(world.core.status.attached, 1, 'the next one is taken');
  }

  t.test('has two seconds, the dial included', async (t) => {
    const world = new World([n1]);
    world.plain('alice');
    const first = world.link('n1');
    world.advance(1900);
    first.open();
    t.equal(first.closedWith, undefined);
    world.advance(200);
    t.match(first.closedWith, [1001]);
    first.greet();
    world.advance(100);
    t.not(world.link('n1'), first);
    world.up('n1').take();
  });
});

t.test('a protocol error of one node', async (t) => {
  const { world, client, link, session } = attached();
  const other = world.plain(world.user('n2'));
  const bystander = world.up('n2');
  const theirs = bystander.take();
  const errors: Record<string, () => void> = {
    'an unknown type': () => link.saysBytes(Uint8Array.of(200, 0, 0, 0, 0)),
  };
  link.says((node) => node.message(session, 2, '', false, Buffer.from('whole')));
  for (const act of Object.values(errors)) act();
  t.match(link.closedWith, [1002]);
  t.same(client.news(), ['whole'], 'the frames before it count');
  bystander.message(theirs.session, 1, 'as ever');
  t.same(other.news(), ['as ever'], 'nobody else notices');
  t.equal(bystander.closedWith, undefined);
  world.advance(100);
  world.up('n1').take({ seq: 2 });
  t.equal(client.closedWith, undefined, 'its sessions are attached again');

  t.test('a second HELLO is one', async (t) => {
    world.link('n1').greet();
    t.match(world.link('n1').closedWith, [1002]);
  });
});

t.test('a link is kept alive', async (t) => {
  t.test('a PING after a third of the time, no PONG by the end of it: it is closed', async (t) => {
    const { world, link, client } = attached();
    link.isHung = true;
    const pings = (): number => link.said.filter(([name]) => name === 'ping').length;
    const before = pings();
    world.advance(2600);
    t.equal(pings() - before, 1);
    world.advance(2500);
    t.equal(pings() - before, 1, 'one is enough');
    t.equal(link.closedWith, undefined);
    world.advance(1500);
    t.match(link.closedWith, [1001]);
    t.equal(client.closedWith, undefined);
    t.equal(world.core.status.waiting, 1);
  });

  t.test('one to a member that is gone has to answer within a sixth of the time', async (t) => {
    const { world, link } = attached();
    link.isHung = true;
    world.setMembers([n2]);
    world.advance(900);
    t.equal(link.closedWith, undefined);
    world.advance(400);
    t.match(link.closedWith, [1001, /^nothing was heard/]);
    world.up('n2').take({ seq: 1 });
  });

  t.test('whatever is heard counts', async (t) => {
    const { world, link, session } = attached();
    link.isHung = true;
    for (let seq = 2; seq < 12; seq++) {
      world.advance(1900);
      link.message(session, seq, 'x');
    }
    t.equal(link.closedWith, undefined);
  });

  t.test('a PING is answered with its number', async (t) => {
    const { link } = attached();
    link.says((node) => node.ping(4711));
    t.same(link.news(), [['pong', 4711]]);
  });

  t.test('an edge that stood still asks before it takes links for lost', async (t) => {
    const { world, link } = attached();
    world.standStill(60_000);
    t.equal(link.closedWith, undefined);
    world.advance(600);
    t.equal(link.closedWith, undefined, 'and the answer counts');
    link.isHung = true;
    world.standStill(60_000);
    world.advance(5000);
    t.match(link.closedWith, [1001], 'without one it is lost');
  });

  t.test('one to a member that is gone has to answer sooner, but not sooner than it was asked', async (t) => {
    const { world, link } = attached();
    world.setMembers([n2]);
    world.advance(600);
    world.standStill(60_000);
    world.advance(0);
    t.notOk(link.closedWith?.[1].startsWith('nothing was heard'));
  });
});

t.test('a client ends', async (t) => {
  t.test('its node is told once it has taken everything, and has nothing more for it', async (t) => {
    const { world, client, link, session } = attached();
    client.text('last');
    client.session.gone(1000, 'bye');
    t.same(link.news(), [
      ['client', session, clientBytes(1, 'last')],
      ['pause', session],
    ]);
    t.equal(world.core.counters.ends['client-left'], 0);
    link.message(session, 2, 'to nobody');
    link.says((node) => node.reply(session, false, Buffer.from('nor this')));
    t.match(world.core.counters, { framesDropped: 1, messagesToClients: 1 });
    link.says((node) => node.taken(session, 1));
    t.same(link.news(), [['closed', session, 1000, 'bye']]);
    t.equal(world.core.counters.ends['client-left'], 1);
    t.equal(world.core.size, 0);
    t.same(client.got, []);
  });

  t.test('between two nodes: the next one is told', async (t) => {
    const { world, client, link, session } = attached();
    link.says((node) => node.repin(session, 'n2', 'h1'));
    client.text('last');
    client.session.gone(1006, '');
    const next = world.up('n2');
    const { session: number } = next.take({ seq: 1 });
    t.same(next.news(), [
      ['client', number, clientBytes(1, 'last')],
      ['pause', number],
    ]);
    next.says((node) => node.taken(number, 1));
    t.same(next.news(), [['closed', number, 1006, '']]);
    t.equal(world.core.size, 0);
  });

  t.test('between two nodes, with nothing left to say: the next one is told of the end alone', async (t) => {
    const { world, client, link, session } = attached();
    link.says((node) => node.repin(session, 'n2', 'h1'));
    client.session.gone(1000, '');
    const next = world.up('n2');
    const { session: number } = next.take({ seq: 1 });
    t.same(next.news().at(-1), ['closed', number, 1000, '']);
    t.equal(world.core.size, 0);
  });

  t.test('between two nodes, while its edge drains: the next one is told all the same', async (t) => {
    const { world, client, link, session } = attached();
    link.says((node) => node.repin(session, 'n2', 'h1'));
    client.text('last');
    world.core.drain();
    world.turn();
    client.session.gone(1000, '');
    const next = world.up('n2');
    const { session: number } = next.take({ seq: 1 });
    t.same(next.news()[0], ['client', number, clientBytes(1, 'last')]);
    next.says((node) => node.taken(number, 1));
    t.same(next.news().at(-1), ['closed', number, 1000, '']);
    t.equal(world.core.size, 0);
    t.match(world.core.counters.ends, { 'client-left': 1, drained: 0 });
  });

  t.test('before any node could know of it: nobody is told', async (t) => {
    const world = new World([n1]);
    const client = world.plain('alice');
    client.session.gone(1000, '');
    t.equal(world.core.size, 0);
    t.equal(world.core.counters.ends['client-left'], 1);
  });

  t.test('before any node could know of it, behind a message: it is brought to its owner', async (t) => {
    const world = new World([n1]);
    const client = world.plain('alice');
    client.text('only');
    client.session.gone(1000, '');
    const link = world.up('n1');
    const { session } = link.take();
    t.same(link.news()[0], ['client', session, clientBytes(1, 'only')]);
    link.says((node) => node.taken(session, 1));
    t.same(link.news(), [['closed', session, 1000, '']]);
  });

  t.test('and no node takes what it sent: after 30 s the session is over', async (t) => {
    const { world, client, link, session } = attached();
    client.text('last');
    client.session.gone(1000, '');
    world.advance(29_000);
    t.equal(world.core.size, 1);
    link.news();
    world.advance(2000);
    t.same(link.news(), [['closed', session, 1000, '']]);
    t.equal(world.core.size, 0);
    t.same(
      { ...world.core.counters.ends },
      { ...world.core.counters.ends, 'client-left': 1, unavailable: 0 },
    );
  });

  t.test('and its node closes the session: it has left all the same', async (t) => {
    const { world, client, link, session } = attached();
    client.text('last');
    client.session.gone(1000, '');
    link.says((node) => node.close(session, 4501, 'failed'));
    t.equal(world.core.size, 0);
    t.match(world.core.counters.ends, { 'client-left': 1, 'closed-by-node': 0 });
    t.equal(client.closedWith, undefined);
  });

  t.test('many of them, with much that is not taken: the first have room, of 64 MiB', async (t) => {
    let now = 0;
    const parting = new PartingSessions(() => now++);
    const sessions = Array.from({ length: 257 }, () => ({}) as EdgeSession);
    const added = sessions.filter((session) => parting.add(session, 262_144));
    t.equal(added.length, 255);
    t.same([...parting.overdue(1)], sessions.slice(0, 2), 'the eldest come first');
    parting.delete(sessions[0]!);
    parting.delete(sessions[0]!);
    t.ok(parting.add(sessions[256]!, 262_144));
    t.notOk(parting.add(sessions[0]!, 262_144));
  });

  t.test('while its edge drains: the drain does not wait longer than for the others', async (t) => {
    const { world, client, link, session } = attached([n1, n2], { drainMs: 10_000 });
    client.text('last');
    client.session.gone(1000, '');
    world.core.drain();
    world.turn();
    t.equal(world.core.size, 1);
    link.news();
    world.advance(7600);
    t.same(link.news().at(-1), ['closed', session, 1000, '']);
    t.equal(world.core.size, 0);
    client.session.close('drained');
    t.match(world.core.counters.ends, { 'client-left': 1, drained: 0 }, 'it is over once');
  });
});
