import { encodeClientFrame } from '@pinwheel/protocol';
import t from 'tap';
import { until } from '../../../test/kit/until.js';
import { connectEdge } from './kit/fake-edge.js';
import { Gate } from './kit/gate.js';
import { startNodes, type Teardown } from './kit/nodes.js';
import { metric, post } from './kit/requests.js';

/** An edge with a link to a node of such options. */
async function linkedNode(t: Teardown, options: Parameters<typeof startNodes>[2]) {
  const nodes = await startNodes(t, ['n1'], options);
  nodes.haveLinks = true;
  return connectEdge(t, nodes.of('n1'));
}

t.test('what clients send goes to the application, once and in order', async (t) => {
  const seen: string[] = [];
  const gate = new Gate();
  const nodes = await startNodes(t, ['n1'], {
    maxInboundBytes: 1000,
    onConnect: ({ user, edge }) => {
      seen.push(`${user} connects by ${edge}`);
    },
    onMessage: async ({ user, data, reply }) => {
      seen.push(`${user} ${data}`);
      if (data === 'wait') {
        await gate.opens();
      }
      reply(`took ${data}`);
    },
    onDisconnect: ({ user, code, reason }) => {
      seen.push(`${user} leaves ${code} ${reason}`);
    },
  });
  nodes.haveLinks = true;
  const node = nodes.of('n1');
  const edge = await connectEdge(t, node);
  const of = (user: string) => seen.filter((entry) => entry.startsWith(`${user} `));

  t.test(
    'each is taken when the application is done with it, and answered by its connection alone',
    async (t) => {
      const [ann, other] = [await edge.attached('ann'), await edge.attached('ann')];
      ann.say(1, 'one');
      ann.say(2, 'wait');
      ann.say(3, 'three');
      await until('the application is at the second', () => seen.includes('ann wait'));
      await until('the edge has heard that the first is taken', () => ann.taken.length > 0);
      t.same(ann.taken, [1]);
      gate.open();
      await until('all are taken', () => ann.taken.at(-1) === 3);
      t.same(ann.taken, [1, 2, 3]);
      t.same(ann.replies, ['took one', 'took wait', 'took three']);
      t.same(other.replies, []);
      ann.close(1000, 'bye');
      other.close(1001, '');
      await until('both have left', () => of('ann').length === 7);
      t.same(of('ann'), [
        'ann connects by e1',
        'ann connects by e1',
        'ann one',
        'ann wait',
        'ann three',
        'ann leaves 1000 bye',
        'ann leaves 1001 ',
      ]);
    },
  );

  t.test('what comes again after a link was lost is not done again', async (t) => {
    const first = await connectEdge(t, node);
    const ben = await first.attached('ben');
    ben.say(1, 'one');
    ben.say(2, 'two');
    await until('they are taken', () => ben.taken.at(-1) === 2);
    first.cut();
    const back = edge.attach('ben', { key: ben.key, epoch: 2, positions: [ben.position()] });
    await until('it is attached', () => back.attached.length > 0);
    t.match(back.attached, [{ taken: 2, recovered: true }]);
    back.say(2, 'two');
    back.say(3, 'three');
    await until('the rest is taken', () => back.taken.at(-1) === 3);
    t.same(back.taken, [2, 3], 'what was taken before is said again');
    t.same(of('ben'), ['ben connects by e1', 'ben one', 'ben two', 'ben three']);
    back.close();
  });

  t.test('a session that is new to this node goes on with its numbers', async (t) => {
    const cat = await edge.attached('cat');
    cat.say(7, 'seven');
    await until('it is taken', () => cat.taken.at(-1) === 7);
    cat.say(3, 'three');
    await until('what came before is taken, too', () => cat.taken.length === 2);
    t.same(of('cat'), ['cat connects by e1', 'cat seven']);
    cat.close();
  });

  t.test('a message over the bound ends the session', async (t) => {
    const dan = await edge.attached('dan');
    dan.say(1, 'x'.repeat(1001));
    await until('it is closed', () => dan.closes.length === 1);
    t.match(dan.closes, [{ code: 4503 }]);
    t.notOk(seen.some((entry) => entry.includes('xxx')));
    t.equal((await post(node, 'dan', 'x')).status, 404, 'the session is over');
  });
});

t.test('a message that is processed again, as its node has died, has the id that it had', async (t) => {
  const ids: (string | undefined)[] = [];
  const options: Parameters<typeof startNodes>[2] = {
    onMessage: ({ id }) => {
      ids.push(id);
    },
  };
  let key: string | undefined;
  for (const place of ['the node that dies', 'the next one']) {
    const edge = await linkedNode(t, options);
    const ann = await edge.attached('ann', key === undefined ? {} : { key });
    key = ann.key;
    ann.say(1, place);
    ann.say(2, place);
    await until('both are taken', () => ann.taken.at(-1) === 2);
  }
  t.match(ids, [/^[\w-]{43}-1$/, /^[\w-]{43}-2$/]);
  t.same(ids.slice(2), ids.slice(0, 2));
  t.notOk(ids[0]!.includes(key!), 'nobody learns the key by it');
});

t.test('a node without an application refuses what clients send, and what they send to others', async (t) => {
  const nodes = await startNodes(t, ['n1']);
  nodes.haveLinks = true;
  const edge = await connectEdge(t, nodes.of('n1'));
  const [ann, ben] = [await edge.attached('ann'), await edge.attached('ben')];
  ann.send(1, 'ben', 'hello');
  await until('the receipt', () => ann.receipts.length === 1);
  t.match(ann.receipts, [
    {
      number: 1,
      receipt: {
        user: 'ben',
        status: 'overloaded',
        error: { code: 'not-allowed', message: /passes no messages/ },
      },
    },
  ]);
  ann.say(2, 'hello');
  await until('it is closed', () => ann.closes.length === 1);
  t.match(ann.closes, [{ code: 4501 }]);
  t.equal(ben.messages.length, 0);
});

t.test('what clients send to others', async (t) => {
  const asked: string[] = [];
  const nodes = await startNodes(t, ['n1', 'n2'], {
    onMessage: () => {},
    onSend: async ({ user, to, data }) => {
      asked.push(`${user} to ${to}: ${data}`);
      if (data === 'fail') throw new Error('no idea');
      return data !== 'no';
    },
  });
  nodes.haveLinks = true;
  const [n1, n2] = [nodes.of('n1'), nodes.of('n2')];
  const [here, there] = [await connectEdge(t, n1), await connectEdge(t, n2)];
  const [from = ''] = nodes.usersOf('n1', 1);
  const [to = ''] = nodes.usersOf('n2', 1);
  const [ann, ben] = [await here.attached(from), await there.attached(to)];
  const receiptOf = (number: number) =>
    until(`the receipt of ${number}`, () => ann.receipts.find((one) => one.number === number)?.receipt);

  t.test('goes where the application lets it, and is answered with a receipt', async (t) => {
    ann.send(1, to, 'hello');
    t.match(await receiptOf(1), { user: to, status: 'delivered', sessions: 1 });
    await until('it comes', () => ben.texts.join() === 'hello');
    t.match(ben.messages, [{ id: /^[\w-]{43}-1$/, binary: false }]);
    t.notOk(ben.messages[0]!.id.includes(ann.key), 'the receiver does not learn the key of the session');
    ann.send(2, to, 'no');
    t.match(await receiptOf(2), { status: 'overloaded', error: { code: 'not-allowed', message: /refused/ } });
    ann.send(3, to, 'fail');
    t.match(await receiptOf(3), { status: 'overloaded', error: { code: 'application', message: /no idea/ } });
    ann.send(4, 'nobody', 'x');
    t.match(await receiptOf(4), { user: 'nobody', status: 'offline' });
    t.same(asked, [
      `${from} to ${to}: hello`,
      `${from} to ${to}: no`,
      `${from} to ${to}: fail`,
      `${from} to nobody: x`,
    ]);
    await until('all are taken', () => ann.taken.at(-1) === 4);
    t.equal(await metric(n1, 'pinwheel_node_client_sends_total'), 4);
  });

  t.test('comes once when it is sent again, and is answered again', async (t) => {
    const before = ann.receipts.length;
    ann.send(1, to, 'hello');
    await until('another receipt', () => ann.receipts.length === before + 1);
    t.match(ann.receipts.at(-1), { number: 1, receipt: { status: 'delivered', sessions: 1 } });
    t.equal(ben.messages.length, 1);
  });

  t.test('is not said to have reached nobody when it is sent again, as it may have before', async (t) => {
    const inDoubt = { status: 'overloaded', error: { code: 'unknown-outcome', message: /before/ } };
    for (const number of [2, 3, 4]) {
      const before = ann.receipts.length;
      ann.send(number, number === 4 ? 'nobody' : to, number === 2 ? 'no' : 'fail');
      await until('another receipt', () => ann.receipts.length === before + 1);
      t.match(ann.receipts.at(-1), { number, receipt: inDoubt });
    }
    const cat = await here.attached(from);
    cat.send(1, 'nobody', 'x', false, true);
    cat.send(2, 'nobody', 'x');
    await until('both receipts', () => cat.receipts.length === 2);
    t.match(cat.receipts, [
      { number: 1, receipt: inDoubt },
      { number: 2, receipt: { status: 'offline' } },
    ]);
    cat.close();
    asked.length = 0;
  });

  t.test('is not the same as what another user sends with a key that he has heard of', async (t) => {
    const other = await here.attached(nodes.usersOf('n1', 2)[1]!, { key: ann.key });
    other.send(1, to, 'from another');
    await until('the receipt', () => other.receipts.length === 1);
    await until('it comes', () => ben.texts.at(-1) === 'from another');
    t.not(ben.messages.at(-1)!.id, ben.messages[0]!.id);
    other.close();
    ben.acknowledge(2);
  });

  t.test('waits for the other client when it is asked to, and holds up nothing behind it', async (t) => {
    ann.send(5, to, 'wait for it', true);
    ann.send(6, to, 'not for this');
    t.match(await receiptOf(6), { status: 'delivered', sessions: 1 });
    await until('both are taken', () => ann.taken.at(-1) === 6);
    t.notOk(ann.receipts.some(({ number }) => number === 5));
    t.same(ben.texts.slice(2), ['wait for it', 'not for this']);
    ben.acknowledge(3);
    t.same(
      await receiptOf(5),
      { user: to, status: 'delivered', sessions: 1 },
      'of the stream it hears nothing',
    );
  });

  t.test('has a key of any length', async (t) => {
    const key = 'k'.repeat(64);
    const long = await here.attached(from, { key });
    long.send(1, to, 'from a long key');
    await until('the receipt', () => long.receipts.length === 1);
    t.match(long.receipts, [{ receipt: { status: 'delivered' } }]);
  });

  t.test('waits for so many others at most', async (t) => {
    const limits = await startNodes(t, ['n9'], { maxInboundPerUser: 2, onSend: () => true });
    limits.haveLinks = true;
    const edge = await connectEdge(t, limits.of('n9'));
    const [one, two] = [await edge.attached('one'), await edge.attached('two')];
    for (const number of [1, 2, 3]) {
      one.send(number, 'two', 'x', true);
      await until('it is taken', () => one.taken.at(-1) === number);
    }
    await until('the third is refused', () => one.receipts.length === 1);
    t.match(one.receipts, [{ number: 3, receipt: { status: 'overloaded', error: { code: 'overloaded' } } }]);
    two.acknowledge(2);
    await until('the others are answered', () => one.receipts.length === 3);
    one.send(4, 'two', 'x', true);
    await until('there is room again', () => two.texts.length === 3);
    two.acknowledge(3);
    await until('the receipt', () => one.receipts.length === 4);
    t.match(one.receipts.at(-1), { number: 4, receipt: { status: 'delivered' } });
  });
});

t.test('what waits for other clients has a bound of bytes, too', async (t) => {
  const limits = { maxInboundBytes: 50_000, maxInboundPerUser: 1000, onSend: () => true };
  const nodes = await startNodes(t, ['n1'], limits);
  nodes.haveLinks = true;
  const edge = await connectEdge(t, nodes.of('n1'));
  const [one, two] = [await edge.attached('one'), await edge.attached('two')];
  const count = 30;
  for (let number = 1; number <= count; number++) {
    one.send(number, 'two', 'x'.repeat(50_000), true);
    await until('it is taken', () => one.taken.at(-1) === number);
  }
  await until('those above it are refused', () => one.receipts.length === count - two.messages.length);
  t.equal(two.messages.length, 20, '1 MiB wait');
  for (const { receipt } of one.receipts) {
    t.match(receipt, {
      status: 'overloaded',
      error: { code: 'overloaded', message: /20 messages of one with/ },
    });
  }
  two.acknowledge(20);
  await until('the others are answered', () => one.receipts.length === count);
});

t.test('an application that answers with what is no data harms nobody but its client', async (t) => {
  const odd: readonly unknown[] = [{ ok: true }, { length: -5 }, 7, null, undefined, new ArrayBuffer(8)];
  const edge = await linkedNode(t, {
    onMessage: ({ data, reply }) => {
      const at = Number(data);
      reply((at < odd.length ? odd[at] : `took ${data}`) as string);
    },
  });
  const bystander = await edge.attached('bystander');
  for (const at of odd.keys()) {
    const client = await edge.attached(`client-${at}`);
    client.say(1, String(at));
    await until('it is closed', () => client.closes.length === 1);
    t.match(client.closes, [{ code: 4004 }]);
    bystander.say(at + 1, '99');
    await until('the bystander is answered', () => bystander.replies.length === at + 1);
  }
  t.equal(edge.end, undefined, 'the link is there');
});

t.test('a client that is refused sends nothing to others', async (t) => {
  let refuse = (): void => {};
  const asked: string[] = [];
  const edge = await linkedNode(t, {
    onConnect: ({ user }) => {
      if (user !== 'banned') return undefined;
      return new Promise<void>((_, reject) => {
        refuse = () => reject(new Error('banned'));
      });
    },
    onSend: ({ user }) => {
      asked.push(user);
      return true;
    },
  });
  const [banned, bob] = [await edge.attached('banned'), await edge.attached('bob')];
  for (const number of [1, 2, 3]) banned.send(number, 'bob', 'spam');
  const other = await edge.attached('other');
  other.send(1, 'bob', 'hello');
  await until('what another sends comes', () => bob.texts.length === 1);
  refuse();
  await until('it is closed', () => banned.closes.length === 1);
  t.match(banned.closes, [{ code: 4502 }]);
  other.send(2, 'bob', 'bye');
  await until('what another sends comes', () => bob.texts.length === 2);
  t.same(
    [asked, bob.texts],
    [
      ['other', 'other'],
      ['hello', 'bye'],
    ],
  );
});

t.test('an application that does not look whether it could send goes on', async (t) => {
  const edge = await linkedNode(t, {
    onMessage: ({ data, send, reply }) => {
      void send(String(data), 'x');
      reply('took it');
    },
  });
  const ann = await edge.attached('ann');
  ann.say(1, '');
  ann.say(2, 'x'.repeat(257));
  await until('both are taken', () => ann.replies.length === 2);
  t.same(ann.closes, []);
});

t.test(
  'a client that the application fails comes back to its session, and nothing of it is lost',
  async (t) => {
    const seen: string[] = [];
    let isAway = true;
    const gate = new Gate();
    const nodes = await startNodes(t, ['n1'], {
      onMessage: async ({ user, data }) => {
        if (user === 'slow' || data === 'slow') {
          await gate.opens();
        }
        if (data === 'two' && isAway) throw new Error('away');
        seen.push(String(data));
      },
      onSend: ({ data }) => {
        seen.push(String(data));
        return true;
      },
      onDisconnect: ({ code }) => {
        seen.push(`left with ${code}`);
      },
    });
    nodes.haveLinks = true;
    const node = nodes.of('n1');
    const edge = await connectEdge(t, node);
    const bob = await edge.attached('bob', { acknowledgesAtOnce: true });
    const first = await edge.attached('ann');
    first.pause();
    await until('nothing is written to it', async () => {
      const { json } = await post(node, 'ann', 'kept');
      return json['status'] === 'queued';
    });
    first.say(1, 'one');
    first.say(2, 'two');
    first.send(3, 'bob', 'three', true);
    await until('it is closed', () => first.closes.length === 1);
    t.match(first.closes, [{ code: 4004 }]);
    isAway = false;
    const again = { key: first.key, epoch: 2, positions: [first.position()] };
    const second = await edge.attached('ann', again);
    t.match(second.attached, [{ recovered: true, taken: 1 }]);
    await until('what was kept comes', () => second.texts.at(-1) === 'kept');
    second.say(2, 'two');
    second.send(3, 'bob', 'three', true);
    await until('all is processed', () => second.taken.at(-1) === 3);
    await until('and answered', () => second.receipts.length === 1);
    t.match(second.receipts, [{ number: 3, receipt: { status: 'delivered' } }]);
    t.same(bob.texts, ['three']);
    t.same(seen, ['one', 'two', 'three'], 'each once, in order, and the session has not ended');
    second.close(1000, '');
    await until('it has ended', () => seen.at(-1) === 'left with 1000');

    t.test('what waited behind the failed message is not processed before it', async (t) => {
      seen.length = 0;
      isAway = true;
      const [first, other] = [await edge.attached('eve'), await edge.attached('eve')];
      // the other connection's message stands between those of the first
      first.say(1, 'two');
      other.say(1, 'slow');
      first.say(2, 'behind');
      await until('it is closed', () => first.closes.length === 1);
      isAway = false;
      const second = await edge.attached('eve', { key: first.key, epoch: 2, positions: [first.position()] });
      second.say(1, 'two');
      second.say(2, 'behind');
      gate.open();
      await until('all is processed', () => second.taken.at(-1) === 2);
      t.same(seen, ['slow', 'two', 'behind']);
    });
  },
);

t.test('a client that sends faster than the application takes comes back to its session', async (t) => {
  const seen: string[] = [];
  const gate = new Gate();
  const edge = await linkedNode(t, {
    maxInboundPerUser: 2,
    onMessage: async ({ data }) => {
      if (data === '1') {
        await gate.opens();
      }
      seen.push(String(data));
    },
  });
  const first = await edge.attached('ann');
  for (let number = 1; number <= 5; number++) first.say(number, String(number));
  await until('it is closed', () => first.closes.length === 1);
  t.match(first.closes, [{ code: 4003 }]);
  const second = await edge.attached('ann', { key: first.key, epoch: 2, positions: [first.position()] });
  t.match(second.attached, [{ recovered: true, taken: 0 }]);
  // 1 to 3 wait here still: they are not processed again
  for (let number = 1; number <= 3; number++) second.say(number, String(number));
  gate.open();
  await until('those are processed', () => second.taken.at(-1) === 3);
  for (const number of [4, 5]) {
    second.say(number, String(number));
    await until('it is processed', () => second.taken.at(-1) === number);
  }
  t.same(seen, ['1', '2', '3', '4', '5']);
});

t.test('one that is sent again and finds no room brings nothing that waits a second time', async (t) => {
  const seen: string[] = [];
  const gate = new Gate();
  const edge = await linkedNode(t, {
    maxInboundPerUser: 2,
    onMessage: async ({ data }) => {
      seen.push(String(data));
      if (data === 'slow') {
        await gate.opens();
      }
    },
    onSend: () => true,
  });
  const first = await edge.attached('ann');
  first.send(1, 'bob', 'x');
  await until('it is taken', () => first.taken.at(-1) === 1);
  first.say(2, 'slow');
  first.say(3, 'three');
  first.say(4, 'four');
  const again = { kind: 'send', number: 1, to: 'bob', waitForClient: false, repeated: true } as const;
  const data = Buffer.from('x');
  edge.write((out) => out.client(first.number, encodeClientFrame({ ...again, binary: false, data })));
  await until('it is closed', () => first.closes.length === 1);
  t.match(first.closes, [{ code: 4003 }]);
  const second = await edge.attached('ann', { key: first.key, epoch: 2, positions: [first.position()] });
  second.say(2, 'slow');
  second.say(3, 'three');
  second.say(4, 'four');
  gate.open();
  await until('all are processed', () => second.taken.at(-1) === 4);
  second.say(5, 'five');
  await until('and the next', () => second.taken.at(-1) === 5);
  t.same(seen, ['slow', 'three', 'four', 'five']);
});

t.test('a send that comes again while the application looks at it is asked for once', async (t) => {
  let asked = 0;
  const gate = new Gate();
  const edge = await linkedNode(t, {
    onSend: async () => {
      asked++;
      if (asked === 1) await gate.opens();
      return true;
    },
  });
  const bob = await edge.attached('bob');
  const session = await edge.attached('ann');
  session.send(1, 'bob', 'hello', false);
  await until('it is looked at', () => asked === 1);
  const again = { kind: 'send', number: 1, to: 'bob', waitForClient: false, repeated: true } as const;
  const frame = encodeClientFrame({ ...again, binary: false, data: Buffer.from('hello') });
  for (let i = 0; i < 3; i++) edge.write((out) => out.client(session.number, frame));
  session.send(2, 'bob', 'next', false);
  gate.open();
  await until('both receipts come', () => session.receipts.length === 2);
  t.same(
    session.receipts.map(({ number }) => number),
    [1, 2],
  );
  t.same([asked, bob.texts], [2, ['hello', 'next']]);
});

t.test(
  'what waits for another client is asked for once, though the application fails behind it',
  async (t) => {
    let asked = 0;
    const edge = await linkedNode(t, {
      onMessage: () => {
        throw new Error('away');
      },
      onSend: () => {
        asked++;
        return true;
      },
    });
    const bob = await edge.attached('bob');
    let session = await edge.attached('ann');
    session.send(1, 'bob', 'hello', true);
    await until('it has come', () => bob.texts.length === 1);
    const again = { kind: 'send', number: 1, to: 'bob', waitForClient: true, repeated: true } as const;
    const data = Buffer.from('hello');
    for (let epoch = 2; epoch < 5; epoch++) {
      session.say(2, 'bad');
      await until('it is closed', () => session.closes.length === 1);
      session = await edge.attached('ann', { key: session.key, epoch, positions: [session.position()] });
      const { number } = session;
      edge.write((out) => out.client(number, encodeClientFrame({ ...again, binary: false, data })));
    }
    bob.acknowledge(1);
    await until('the receipt comes', () => session.receipts.length === 1);
    t.match(session.receipts, [{ number: 1, receipt: { status: 'delivered' } }]);
    t.same([asked, bob.texts], [1, ['hello']]);
  },
);
