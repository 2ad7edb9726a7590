import t from 'tap';
import { KeptMessages, maxUnanswered } from '../src/link/kept-messages.js';
import { attachedOf, clientBytes, member, messageBytes, u32, World } from './link-world.js';

const n1 = member('n1');
const n2 = member('n2');
const key = 'k'.repeat(16);

t.test('a plain client', async (t) => {
  const world = new World([n1]);
  const client = world.plain('alice');
  const link = world.up('n1');
  t.same(link.news()[0], ['hello', 1, 'e1', 'first'], 'HELLO is the first frame');
  const request = link.said[1]![1] as { session: number; key: string };
  t.match(request, {
    session: 1,
    acknowledges: false,
    resumes: false,
    user: 'alice',
    handoff: '',
    positions: [],
    fingerprint: world.state().ring.fingerprint,
  });
  t.match(request.key, /^[A-Za-z0-9_-]{16,64}$/);
  link.says((node) => node.attached(attachedOf(1, { stream: 's', seq: 7 })));
  t.same(client.got, [], 'hears nothing of it');

  t.test('gets payloads as they are, text or binary', async (t) => {
    link.says((node) => {
      node.message(1, 8, '', false, Buffer.from('text'));
      node.message(1, 9, 'an-id', true, Buffer.from([1, 2]));
      node.reply(1, false, Buffer.from('reply'));
      node.reply(1, true, Buffer.from([3]));
      node.message(1, 10, '', false, Buffer.from(''));
    });
    t.same(client.news(), ['text', Buffer.from([1, 2]), 'reply', Buffer.from([3]), '']);
    t.same(client.corks.splice(0), [5], 'what one turn brings is one write');
  });

  t.test('a message that comes alone is written at once', async (t) => {
    link.saysInTurn((node) => node.message(1, 11, '', false, Buffer.from('alone')));
    t.same(client.news(), ['alone']);
    world.turn();
  });

  t.test('what was written is acknowledged once a second, and every 32 messages', async (t) => {
    link.news();
    world.advance(1500);
    t.same(link.news(), [['ack', 1, 11]]);
    world.advance(3000);
    t.same(link.news(), [], 'once');
    link.says((node) => {
      for (let seq = 12; seq < 12 + 32; seq++) node.message(1, seq, '', false, Buffer.from('x'));
    });
    t.same(link.news(), [['ack', 1, 43]]);
    client.news();
  });

  t.test('what it sends is numbered, and forgotten when it was taken', async (t) => {
    client.text('one');
    client.session.received(Buffer.from([9]), true);
    t.same(link.news(), [
      ['client', 1, clientBytes(1, 'one')],
      ['client', 1, clientBytes(2, '\x09', true)],
    ]);
    link.says((node) => node.taken(1, 2));
    t.same(client.got, [], 'it is not told');
  });

  t.test('a message that it has had is not written again', async (t) => {
    const before = world.core.counters.framesDropped;
    link.message(1, 43, 'again');
    t.same(client.got, []);
    t.equal(world.core.counters.framesDropped, before + 1);
  });

  t.test('when it leaves, with whatever code, the session is over', async (t) => {
    client.session.gone(1006, '');
    t.same(link.news(), [['closed', 1, 1006, '']]);
    t.equal(world.core.size, 0);
    link.message(1, 44, 'late');
    t.same(client.got, []);
  });
});

t.test('a client of pinwheel.v1', async (t) => {
  const world = new World([n1]);
  const client = world.silentV1('bob');
  t.equal(world.dials.length, 0, 'is attached when it has said hello');
  client.text({ type: 'hello', session: key, epoch: 3 });
  const link = world.up('n1');
  const request = link.take({ stream: 's', seq: 4, taken: 2 });
  t.match(request, { acknowledges: true, resumes: false, epoch: 3, key, user: 'bob', positions: [] });
  const welcome = { type: 'welcome', session: key, stream: 's', seq: 4, recovered: true, taken: 2 };
  t.same(
    client.v1News(),
    [{ ...welcome, resumeWindowMs: 60_000, maxMessageBytes: 65_536 }],
    'is welcomed at its first attach',
  );

  t.test('is not told what it knows', async (t) => {
    link.says((node) => node.taken(1, 2));
    t.same(client.v1News(), []);
  });

  t.test('gets messages, replies and TAKEN as they are on the link, and receipts as JSON', async (t) => {
    link.says((node) => {
      node.message(1, 5, 'id-5', false, Buffer.from('five'));
      node.reply(1, true, Buffer.from([7]));
      node.taken(1, 3);
      node.receipt(1, 4, { user: 'carol', status: 'delivered', sessions: 1 });
    });
    t.same(client.v1News(), [
      messageBytes(5, 'five', 'id-5'),
      [4, 7],
      [5, ...u32(3)],
      { type: 'receipt', number: 4, receipt: { user: 'carol', status: 'delivered', sessions: 1 } },
    ]);
  });

  t.test('its ACK counts for the newest welcome, and for what was written', async (t) => {
    client.bytes(5, 1, ...u32(5));
    t.same(link.news(), [['ack', 1, 5]]);
    client.bytes(5, 0, ...u32(5));
    client.bytes(5, 1, ...u32(5));
    client.bytes(5, 1, ...u32(6));
    t.same(link.news(), [], 'not for an older one, twice, or ahead');
  });

  t.test('its ping is answered here, and a token is no news', async (t) => {
    client.text({ type: 'ping' });
    client.text({ type: 'token', token: 'x' });
    t.same(client.v1News(), [{ type: 'pong' }]);
    t.same(link.news(), []);
  });

  t.test('what it sends crosses the link byte for byte, and once', async (t) => {
    client.says('four', 4);
    client.bytes(4, ...u32(5), 2, 5, 0, ...Buffer.from('carol'), 1, 2);
    client.says('four', 4);
    t.same(link.news(), [
      ['client', 1, clientBytes(4, 'four')],
      ['client', 1, [4, ...u32(5), 2, 5, 0, ...Buffer.from('carol'), 1, 2]],
    ]);
  });

  t.test('a gap that the node tells of is told on with another welcome', async (t) => {
    link.says((node) => node.attached(attachedOf(1, { stream: 's', seq: 20, recovered: false, taken: 5 })));
    t.match(client.v1News(), [{ type: 'welcome', seq: 20, recovered: false, taken: 5 }]);
    link.message(1, 21, 'behind it');
    client.bytes(5, 1, ...u32(21));
    t.same(link.news(), [], 'what it says of the stream before is nothing of this one');
    client.bytes(5, 2, ...u32(21));
    t.same(link.news(), [['ack', 1, 21]]);
    client.news();
  });

  t.test('when its socket dies it may come back; when it says 1000 it is over', async (t) => {
    client.session.gone(1006, '');
    t.same(link.news(), [['detach', 1, 21]]);
    const back = world.v1('bob', {
      session: key,
      epoch: 4,
      positions: [
        ['s', 21],
        ['r', 9],
      ],
    });
    t.match(link.take({ stream: 's', seq: 21 }), {
      session: 2,
      resumes: true,
      epoch: 4,
      positions: [
        { stream: 's', seq: 21 },
        { stream: 'r', seq: 9 },
      ],
    });
    t.match(back.v1News(), [{ type: 'welcome' }], 'a new connection is welcomed though nothing is lost');
    back.session.gone(1000, 'bye');
    t.same(link.news(), [['closed', 2, 1000, 'bye']]);
  });
});

t.test(
  'a send that waits for the other client is sent on to the next node until its receipt has come',
  async (t) => {
    const world = new World([n1, n2]);
    const user = world.user('n1');
    const client = world.v1(user, { session: key, epoch: 1 });
    const link = world.up('n1');
    link.take({ stream: 's', seq: 0 });
    const sendOf = (number: number, flags: number) => [
      4,
      ...u32(number),
      flags,
      ...[5, 0, ...Buffer.from('carol')],
      number,
    ];
    for (let number = 1; number <= 4; number++) client.bytes(...sendOf(number, number === 2 ? 0 : 2));
    client.says('five', 5);
    const receipt = { user: 'carol', status: 'delivered', sessions: 1 } as const;
    link.says((node) => node.receipt(1, 2, receipt));
    link.says((node) => node.taken(1, 4));
    link.says((node) => node.receipt(1, 1, receipt));
    link.news();
    link.says((node) => node.repin(1, 'n2', 'h1'));
    const next = world.up('n2');
    next.take({ stream: 's', seq: 0, taken: 4 });
    t.same(next.news(), [
      ['client', 1, sendOf(3, 2 | 4)],
      ['client', 1, sendOf(4, 2 | 4)],
      ['client', 1, clientBytes(5, 'five')],
    ]);
    client.news();
    next.says((node) => node.receipt(1, 3, receipt));
    next.says((node) => node.receipt(1, 4, receipt));
    t.equal(client.news().length, 2);
    next.says((node) => node.taken(1, 5));
    next.says((node) => node.repin(1, 'n1', 'h2'));
    link.take({ stream: 's', seq: 0, taken: 5 });
    t.same(link.news(), [], 'all of them are answered');
  },
);

t.test('a send whose receipt was lost with a link is sent again, though it was taken', async (t) => {
  const world = new World([n1, n2]);
  const client = world.v1(world.user('n1'), { session: key, epoch: 1 });
  const link = world.up('n1');
  link.take({ stream: 's', seq: 0 });
  const send = (number: number, flags = 0) => [
    4,
    ...u32(number),
    flags,
    5,
    0,
    ...Buffer.from('carol'),
    number,
  ];
  client.bytes(...send(1));
  client.bytes(...send(2));
  client.says('three', 3);
  const receipt = { user: 'carol', status: 'delivered', sessions: 1 } as const;
  link.says((node) => node.receipt(1, 1, receipt));
  link.lose();
  world.advance(2000);
  const again = world.up('n1');
  const { session } = again.take({ stream: 's', seq: 0, taken: 2 });
  t.same(again.news(), [
    ['client', session, send(2, 4)],
    ['client', session, clientBytes(3, 'three')],
  ]);
  again.says((node) => node.receipt(session, 2, receipt));
  again.lose();
  world.advance(2000);
  const third = world.up('n1');
  third.take({ stream: 's', seq: 0, taken: 3 });
  t.same(third.news(), [], 'it has been answered');
});

t.test('a client that has come back asks again for receipts of sends that were processed', async (t) => {
  const world = new World([n1, n2]);
  const user = world.user('n1');
  const client = world.v1(user, { session: key, epoch: 2, positions: [['s', 0]] });
  const link = world.up('n1');
  link.take({ stream: 's', seq: 0, taken: 9 });
  client.news();
  const sendOf = (number: number) => [4, ...u32(number), 2 | 4, 5, 0, ...Buffer.from('carol'), number];
  client.bytes(...sendOf(3));
  client.bytes(...sendOf(7));
  client.says('ten', 10);
  const sends = [3, 7].map((number) => ['client', 1, sendOf(number)]);
  const ten = ['client', 1, clientBytes(10, 'ten')];
  t.same(link.news(), [...sends, ten]);
  link.says((node) => node.receipt(1, 3, { user: 'carol', status: 'queued' }));
  link.says((node) => node.repin(1, 'n2', 'h1'));
  const next = world.up('n2');
  next.take({ stream: 's', seq: 0, taken: 9 });
  t.same(next.news(), [sends[1], ten], 'the next node is asked, too');
  client.says('twelve', 12);
  t.match(client.closedWith, [4504], 'a gap in what is new is none of the protocol');
});

t.test('a send that comes to another node says whether it may have been delivered', async (t) => {
  const world = new World([n1, n2]);
  const client = world.v1(world.user('n1'), { session: key, epoch: 1 });
  const send = (number: number, flags = 0) => [
    4,
    ...u32(number),
    flags,
    5,
    0,
    ...Buffer.from('carol'),
    number,
  ];
  const moved = world.up('n1');
  client.bytes(...send(1));
  moved.take({ stream: 's', seq: 0 });
  t.same(moved.news(), [['client', 1, send(1)]], 'nobody has had it');
  moved.says((node) => node.repin(1, 'n2', 'h1'));
  const lost = world.up('n2');
  const { session } = lost.take({ stream: 's', seq: 0 });
  t.same(lost.news(), [['client', session, send(1)]], 'who hands a user over says what it has done');
  client.says('two', 2);
  lost.news();
  lost.lose();
  world.advance(2000);
  const last = world.up('n2');
  const again = last.take({ stream: 's', seq: 0 }).session;
  t.same(last.news(), [
    ['client', again, send(1, 4)],
    ['client', again, clientBytes(2, 'two')],
  ]);
});

t.test('of sends that wait for their receipts the oldest are let go of at the bound', async (t) => {
  const kept = new KeptMessages();
  for (let number = 1; number <= maxUnanswered + 10; number++) {
    t.ok(kept.add(number, new Uint8Array(100), true));
    kept.taken(number);
  }
  t.equal([...kept.frames()].length, maxUnanswered);
  t.ok(kept.add(1000, new Uint8Array(60_000), true));
  t.equal([...kept.frames()].length, maxUnanswered + 1);
  kept.taken(1000);
  t.equal([...kept.frames()].reduce((sum, { length }) => sum + length, 0) <= 65_536, true);
  t.ok(
    [...kept.frames()].some(({ length }) => length === 60_000),
    'the newest are kept',
  );
  const before = [...kept.frames()].length;
  kept.add(1001, new Uint8Array(65_537), true);
  kept.taken(1001);
  t.equal([...kept.frames()].length, before, 'one that has no room takes none from the others');
  kept.answered(1000);
  for (let number = 1; number <= maxUnanswered + 10; number++) kept.answered(number);
  t.ok(kept.isEmpty);
  kept.add(2000, new Uint8Array(1), true);
  kept.answered(2000);
  kept.taken(2000);
  t.ok(kept.isEmpty, 'a receipt may come before it is taken');
});

t.test('a client of pinwheel.v1 that says what is not in it is closed with 4504', async (t) => {
  const beforeHello: Record<string, (client: ReturnType<World['v1']>) => void> = {
    'a ping before the hello': (client) => client.text({ type: 'ping' }),
    'a message before the hello': (client) => client.says('early'),
    'text that is not JSON': (client) => client.text('hello'),
    'a hello with a silly key': (client) => client.text({ type: 'hello', session: '!', epoch: 1 }),
  };
  const afterHello: Record<string, (client: ReturnType<World['v1']>) => void> = {
    'a second hello': (client) => client.text({ type: 'hello', session: key, epoch: 1 }),
    'control of an unknown type': (client) => client.text({ type: 'welcome' }),
    'an unknown kind of message': (client) => client.bytes(77),
    'an empty message': (client) => client.bytes(),
    'a message that is cut off': (client) => client.bytes(1, 2, 3),
    'text that is not UTF-8': (client) => client.bytes(1, ...u32(1), 0xff),
    'a SEND to nobody': (client) => client.bytes(3, ...u32(1), 0, 0, 0),
    'a number that skips one': (client) => {
      client.says('one', 1);
      client.says('three', 3);
    },
  };
  for (const [what, act] of Object.entries(beforeHello)) {
    const world = new World([n1]);
    const client = world.silentV1('bob');
    act(client);
    t.match(client.closedWith, [4504], what);
    t.equal(world.core.size, 0);
  }
  for (const [what, act] of Object.entries(afterHello)) {
    const world = new World([n1]);
    const client = world.v1('bob');
    const link = world.up('n1');
    link.take();
    act(client);
    t.match(client.closedWith, [4504], what);
    t.match(link.news().at(-1), ['closed', 1, 4504], `${what}: the node is told that it is over`);
  }
});

t.test('a client of pinwheel.v1 that does not say hello within ten seconds is closed', async (t) => {
  const world = new World([n1]);
  const client = world.silentV1('bob');
  world.advance(9000);
  t.equal(client.closedWith, undefined);
  world.advance(1600);
  t.match(client.closedWith, [4008]);
});

t.test('what is too large is closed with 4503', async (t) => {
  const world = new World([n1], { maxInboundBytes: 100 });
  const plain = world.plain(world.user('n1'));
  const v1 = world.v1(world.user('n1', 'other'));
  plain.text('x'.repeat(100));
  v1.bytes(1, ...u32(1), ...Buffer.alloc(100, 'x'));
  v1.text({ type: 'token', token: 'x'.repeat(8192) });
  t.equal(plain.closedWith ?? v1.closedWith, undefined, 'not at the bound, which is none of tokens');
  plain.text('x'.repeat(101));
  v1.bytes(1, ...u32(2), ...Buffer.alloc(101, 'x'));
  t.match([plain.closedWith, v1.closedWith], [[4503], [4503]]);
  const largest = new World([n1], { maxInboundBytes: 1_048_576 });
  const sendHead = (number: number) => [4, ...u32(number), 0, 3, 0, ...Buffer.from('bob')];
  for (const head of [(number: number) => [2, ...u32(number)], sendHead]) {
    const client = largest.v1('bob');
    client.session.received(Buffer.concat([Buffer.from(head(1)), Buffer.alloc(1_048_576)]), true);
    t.equal(client.closedWith, undefined);
    client.session.received(Buffer.concat([Buffer.from(head(2)), Buffer.alloc(1_048_577)]), true);
    t.match(client.closedWith, [4503], 'one byte above the largest bound, too');
  }
});

t.test('what a client sends is kept until a node has processed it, within bounds', async (t) => {
  t.test('256 messages', async (t) => {
    const world = new World([n1]);
    const client = world.plain('alice');
    for (let i = 0; i < 256; i++) client.text(`m${i}`);
    t.equal(client.closedWith, undefined);
    client.text('one more');
    t.match(client.closedWith, [4003]);
  });

  t.test('256 KiB', async (t) => {
    const world = new World([n1]);
    const client = world.plain('alice');
    world.up('n1').take();
    const large = 'x'.repeat(65_000);
    for (let i = 0; i < 4; i++) client.text(large);
    t.equal(client.closedWith, undefined);
    client.text(large);
    t.match(client.closedWith, [4003]);
    t.same(world.link('n1').news().at(-1), ['closed', 1, 4003, 'messages faster than they are taken']);
  });

  t.test('TAKEN makes room', async (t) => {
    const world = new World([n1]);
    const client = world.plain('alice');
    const link = world.up('n1');
    link.take();
    for (let i = 1; i <= 1000; i++) {
      client.text(`m${i}`);
      if (i % 200 === 0) link.says((node) => node.taken(1, i));
    }
    t.equal(client.closedWith, undefined);
  });

  t.test('a single message that is larger than the bound has room alone', async (t) => {
    const world = new World([n1], { maxInboundBytes: 1_000_000 });
    const client = world.plain('alice');
    client.text('x'.repeat(900_000));
    t.equal(client.closedWith, undefined);
    client.text('x');
    t.match(client.closedWith, [4003]);
  });
});

t.test('a client that does not read', async (t) => {
  const setUp = (options = {}) => {
    const world = new World([n1], options);
    const client = world.plain('alice');
    const link = world.up('n1');
    link.take();
    client.isFull = true;
    link.message(1, 1, 'the last that fits');
    return { world, client, link };
  };

  t.test('is paused once, and goes on when its socket has room', async (t) => {
    const { world, client, link } = setUp();
    link.message(1, 2, 'was on its way');
    t.same(link.news(), [['pause', 1]]);
    t.same(client.news(), ['the last that fits', 'was on its way'], 'what comes is still written');
    world.advance(9000);
    client.isFull = false;
    client.session.drained();
    t.same(
      link.news().filter(([name]) => name !== 'ack'),
      [['continue', 1]],
    );
    world.advance(60_000);
    t.equal(client.closedWith, undefined);
    t.equal(world.core.status.paused, 0);
  });

  t.test('is closed with 4002 when it takes nothing for ten seconds', async (t) => {
    const { world, client, link } = setUp();
    world.advance(9000);
    client.session.reading();
    world.advance(9000);
    t.equal(client.closedWith, undefined, 'not while it takes a little now and then');
    world.advance(2000);
    t.match(client.closedWith, [4002]);
    t.match(link.news().at(-1), ['closed', 1, 4002]);
  });

  t.test('is not blamed for an edge that stood still', async (t) => {
    const { world, client } = setUp();
    world.standStill(60_000);
    t.equal(client.closedWith, undefined);
    client.session.drained();
    world.advance(20_000);
    t.equal(client.closedWith, undefined);
  });

  t.test('is closed with 4002 when a node goes on writing beyond the bound', async (t) => {
    const { client, link } = setUp({ maxPausedBytes: 100 });
    link.message(1, 2, 'x'.repeat(100));
    t.equal(client.closedWith, undefined);
    client.news();
    link.message(1, 3, 'x');
    t.match(client.closedWith, [4002]);
    t.same(client.news(), [], 'what is too much is not written');
  });

  t.test('of pinwheel.v1 may come back, and the node learns what was written', async (t) => {
    const world = new World([n1], { maxPausedBytes: 100 });
    const client = world.v1('bob');
    const link = world.up('n1');
    link.take();
    client.isFull = true;
    link.says((node) => {
      for (let seq = 1; seq <= 4; seq++) node.message(1, seq, '', false, Buffer.alloc(40));
    });
    t.match(client.closedWith, [4002]);
    t.same(link.news().at(-1), ['detach', 1, 3], 'one before the pause, two within the bound');
  });
});

t.test('a node closes a session behind what it has written', async (t) => {
  const world = new World([n1]);
  const client = world.plain('alice');
  const link = world.up('n1');
  link.take();
  link.says((node) => {
    node.message(1, 1, '', false, Buffer.from('last words'));
    node.close(1, 4500, 'disconnected');
    node.message(1, 2, '', false, Buffer.from('too late'));
  });
  t.same(client.got, ['last words']);
  t.same(client.closedWith, [4500, 'disconnected']);
  t.same(link.news(), [], 'its end is not announced back');
  client.session.gone(4500, '');
  client.session.drained();
  client.text('hello?');
  t.same(link.news(), []);
});

t.test('a client that leaves in the midst of a turn has not got what was not written', async (t) => {
  const world = new World([n1]);
  const client = world.v1('bob');
  const link = world.up('n1');
  link.take({ seq: 3 });
  link.saysInTurn((node) => {
    node.message(1, 4, '', false, Buffer.from('a'));
    node.message(1, 5, '', false, Buffer.from('b'));
  });
  client.session.gone(1006, '');
  t.same(link.news(), [['detach', 1, 3]]);
});

t.test('a closed core says nothing more', async (t) => {
  const world = new World([n1]);
  const client = world.plain('alice');
  const link = world.up('n1');
  link.take();
  world.core.close();
  world.core.close();
  t.match(link.closedWith, [1001]);
  client.text('hello?');
  client.session.gone(1006, '');
  world.advance(120_000);
  t.equal(world.core.size, 0);
  t.equal(world.dials.length, 1);
});
