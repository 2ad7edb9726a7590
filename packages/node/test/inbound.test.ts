import { PinwheelError } from '@pinwheel/protocol';
import t from 'tap';
import { until } from '../../../test/kit/until.js';
import { connect } from './kit/client.js';
import { startNodes } from './kit/nodes.js';
import { metric } from './kit/requests.js';

/** A promise and the call that fulfils it. */
function gate(): { readonly opened: Promise<void>; readonly open: () => void } {
  let open = (): void => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}

t.test('a node without an application refuses what clients send', async (t) => {
  const nodes = await startNodes(t, ['n1']);
  const node = nodes.of('n1');
  const client = await connect(t, node, 'ann');
  client.send('hello');
  await until('it is closed', () => client.end);
  t.same(client.end, { code: 4501, reason: 'this service takes no messages from clients' });
  t.equal(await metric(node, 'pinwheel_node_inbound_refused_total'), 1);
});

t.test('messages of a user come one after the other, however long each takes', async (t) => {
  const seen: string[] = [];
  const running = new Map<string, number>();
  let most = 0;
  let usersAtOnce = 0;
  const nodes = await startNodes(t, ['n1', 'n2'], {
    onConnect: async ({ user }) => {
      await new Promise(setImmediate);
      seen.push(`${user} connect`);
    },
    onMessage: async ({ user, data, reply }) => {
      running.set(user, (running.get(user) ?? 0) + 1);
      most = Math.max(most, running.get(user) ?? 0);
      usersAtOnce = Math.max(usersAtOnce, running.size);
      await new Promise((resolve) => setTimeout(resolve, Number(data) % 3));
      seen.push(`${user} ${data}`);
      running.set(user, (running.get(user) ?? 0) - 1);
      if (running.get(user) === 0) running.delete(user);
      reply(`took ${data}`);
    },
    onDisconnect: ({ user, code }) => {
      seen.push(`${user} disconnect ${code}`);
    },
  });
  const users = [...nodes.usersOf('n1', 2), ...nodes.usersOf('n2', 2)];
  const clients = await Promise.all(users.map((user) => connect(t, nodes.ownerOf(user), user)));
  for (let i = 0; i < 50; i++) for (const client of clients) client.send(`${i}`);
  await until('every reply', () => clients.every(({ frames }) => frames.length === 50));
  for (const client of clients) client.socket.close(1000);
  await until('every end', () => seen.filter((entry) => entry.includes('disconnect')).length === 4);
  const numbers = Array.from({ length: 50 }, (_, i) => `${i}`);
  for (const { user, texts } of clients) {
    t.same(
      seen.filter((entry) => entry.startsWith(`${user} `)),
      [`${user} connect`, ...numbers.map((i) => `${user} ${i}`), `${user} disconnect 1000`],
    );
    t.same(
      texts,
      numbers.map((i) => `took ${i}`),
    );
  }
  t.equal(most, 1);
  t.ok(usersAtOnce > 1, 'users do not wait for one another');
  t.equal(await metric(nodes.of('n1'), 'pinwheel_node_inbound_bytes'), 0);
});

t.test('the application gets text as a string and bytes of its own, and reaches any user', async (t) => {
  const got: (string | Buffer)[] = [];
  const statuses: string[] = [];
  const nodes = await startNodes(t, ['n1', 'n2'], {
    onMessage: async ({ data, send }) => {
      got.push(data);
      const receipt = await send(`${data}`, 'from the application');
      statuses.push(receipt.status);
    },
  });
  const [here = ''] = nodes.usersOf('n1', 1);
  const [there = ''] = nodes.usersOf('n2', 1);
  const client = await connect(t, nodes.of('n1'), here);
  const other = await connect(t, nodes.of('n2'), there);
  client.send(there);
  await until('it arrives', () => other.texts.includes('from the application'));
  client.send(Buffer.from(here));
  await until('it arrives', () => client.texts.includes('from the application'));
  client.send('nobody');
  await until('three receipts', () => statuses.length === 3);
  t.same(statuses, ['delivered', 'delivered', 'offline']);
  t.same(got, [there, Buffer.from(here), 'nobody']);
});

t.test('more than the application takes closes the client that sent it', async (t) => {
  const { opened, open } = gate();
  const seen: string[] = [];
  const nodes = await startNodes(t, ['n1'], {
    maxInboundPerUser: 4,
    onMessage: async ({ data }) => {
      await opened;
      seen.push(`${data}`);
    },
  });
  const node = nodes.of('n1');
  const fast = await connect(t, node, 'fast');
  const calm = await connect(t, node, 'calm');
  calm.send('calm');
  for (let i = 0; i < 8; i++) fast.send(`${i}`);
  await until('it is closed', () => fast.end);
  t.match(fast.end, { code: 4003 });
  open();
  await until('what was taken is processed', () => seen.length === 6);
  t.same(
    seen.filter((data) => data !== 'calm'),
    ['0', '1', '2', '3', '4'],
  );
  t.equal(calm.end, undefined);
  t.equal(await metric(node, 'pinwheel_node_inbound_refused_total'), 1);
});

t.test('clients that come and go faster than the application takes it are turned away', async (t) => {
  const { opened, open } = gate();
  const events: string[] = [];
  const nodes = await startNodes(t, ['n1'], {
    maxInboundPerUser: 4,
    onDisconnect: async ({ session }) => {
      await opened;
      events.push(session);
    },
  });
  const node = nodes.of('n1');
  const ends: number[] = [];
  for (let i = 0; i < 12; i++) {
    const client = await connect(t, node, 'ann');
    client.socket.close(1000);
    await until('it is closed', () => client.end);
    ends.push(client.end?.code ?? 0);
  }
  t.ok(ends.includes(4003), `closed with ${ends}`);
  open();
  await until(
    'the application hears of the others',
    () => events.length === ends.filter((c) => c !== 4003).length,
  );
  t.equal((await connect(t, node, 'ann')).end, undefined, 'afterwards the user may come again');
});

t.test('an application that fails', async (t) => {
  const rejectLater = (_: unknown, reject: (error: Error) => void): void => reject(new Error('no'));
  const seen: string[] = [];
  const fail = (data: string): unknown => {
    if (data === 'null') throw null;
    if (data === 'odd') throw Object.create(null);
    if (data === 'rejects') return Promise.reject(new Error('no'));
    // an application's own kind of promise
    if (data === 'thenable') return Object.fromEntries([['then', rejectLater]]);
    if (data === 'throws') throw new Error('no');
    return undefined;
  };
  const nodes = await startNodes(t, ['n1'], {
    onConnect: ({ user }) => {
      if (user === 'refused') throw new Error('not you');
      if (user === 'away') throw new PinwheelError('unavailable', 'not now');
      if (user === 'far away') throw Object.assign(new Error('not now'), { code: 'unavailable' });
    },
    onMessage: ({ data }) => {
      seen.push(`${data}`);
      return fail(`${data}`) as Promise<void>;
    },
    onDisconnect: ({ user }) => {
      seen.push(`end of ${user}`);
      throw new Error('no');
    },
  });
  const node = nodes.of('n1');

  for (const data of ['throws', 'rejects', 'null', 'odd', 'thenable']) {
    t.test(
      `on a message, ${data}: the client is closed and its later messages are not processed`,
      async (t) => {
        const client = await connect(t, node, data);
        client.send(data);
        client.send(`after ${data}`);
        await until('it is closed', () => client.end);
        t.match(client.end, { code: 4004 });
        await until('the application hears of the end', () => seen.includes(`end of ${data}`));
        t.notOk(seen.includes(`after ${data}`));
      },
    );
  }

  t.test('on connect: the client is refused, and the application hears no more of it', async (t) => {
    const client = await connect(t, node, 'refused');
    client.send('after refusal');
    await until('it is closed', () => client.end);
    t.match(client.end, { code: 4502 });
    for (const user of ['away', 'far away']) {
      const away = await connect(t, node, user);
      await until('it is closed', () => away.end);
      t.match(away.end, { code: 4004 }, 'one that is not available refuses nobody for good');
    }
    await until('they are gone', () => node.sessions === 0);
    t.notOk(
      seen.includes('after refusal') ||
        seen.includes('end of refused') ||
        seen.some((what) => /end of (far )?away/.test(what)),
    );
  });
});

t.test('an error that cannot be read is a failure like any other, and ends no process', async (t) => {
  const oddError = (field: string): Error =>
    Object.defineProperty(new Error('x'), field, {
      get: () => {
        throw new Error(`${field} cannot be read`);
      },
    });
  const fields = ['message', 'code', 'stack'];
  const nodes = await startNodes(t, ['n1'], {
    onMessage: ({ data, reply }) => {
      const [when, field] = String(data).split(' ');
      if (field === undefined) {
        reply('fine');
        return undefined;
      }
      if (when === 'now') throw oddError(field);
      return Promise.reject(oddError(field));
    },
  });
  const node = nodes.of('n1');
  for (const when of ['now', 'later']) {
    for (const field of fields) {
      const client = await connect(t, node, 'ann');
      client.send(`${when} ${field}`);
      await until(`${when} ${field}: it is closed`, () => client.end);
      t.equal(client.end!.code, 4004, `${when} ${field}`);
    }
  }
  const next = await connect(t, node, 'ann');
  next.send('next');
  await until('her next message is taken', () => next.texts.includes('fine'));
});

t.test('a message over the limit closes its client only', async (t) => {
  const seen: string[] = [];
  const nodes = await startNodes(t, ['n1'], {
    maxInboundBytes: 1000,
    onMessage: ({ data }) => {
      seen.push(`${data}`);
    },
  });
  const node = nodes.of('n1');
  const large = await connect(t, node, 'large');
  const other = await connect(t, node, 'other');
  large.send('x'.repeat(1001));
  await until('it is closed', () => large.end);
  t.same(large.end, { code: 4503, reason: 'message too large' });
  t.equal(await metric(node, 'pinwheel_node_closes_total{reason="too-large"}'), 1);
  const huge = await connect(t, node, 'huge');
  huge.send('x'.repeat(1_100_000));
  await until('it is closed', () => huge.end);
  t.match(huge.end, { code: 1006 }, 'one far beyond is cut without being read');
  other.send('x'.repeat(1000));
  await until('the other one goes on', () => seen.length === 1);
  t.equal(other.end, undefined);
});

t.test('all users together have a bound, the first message of each counted too', async (t) => {
  const { opened, open } = gate();
  const nodes = await startNodes(t, ['n1'], {
    maxInboundTotalBytes: 200_000,
    onMessage: async () => {
      await opened;
    },
  });
  const node = nodes.of('n1');
  const clients = await Promise.all(Array.from({ length: 8 }, (_, i) => connect(t, node, `u${i}`)));
  for (const client of clients) client.send('x'.repeat(60_000));
  await until('the rest is turned away', () => clients.filter(({ end }) => end).length === 5);
  t.ok(clients.every(({ end }) => end === undefined || end.code === 4003));
  const waiting = await metric(node, 'pinwheel_node_inbound_bytes');
  t.ok(waiting >= 180_000 && waiting <= 200_000, `${waiting} bytes wait`);
  open();
  await until('nothing waits', async () => (await metric(node, 'pinwheel_node_inbound_bytes')) === 0);
});

t.test('a failure of the application is logged with user, session and where it was', async (t) => {
  const logged: object[] = [];
  const note = (fields: object): unknown => logged.push(fields);
  const nodes = await startNodes(t, ['n1'], {
    log: { info: () => {}, warn: note, error: note },
    onMessage: function takesNothing() {
      throw new Error('no room');
    },
  });
  const client = await connect(t, nodes.of('n1'), 'ann');
  client.send('x');
  await until('it is closed', () => client.end);
  t.match(logged, [{ user: 'ann', session: String, error: 'no room', stack: /no room\n.*takesNothing/ }]);
});

t.test(
  'clients that the application refuses are no failures of it: neither warnings nor stacks',
  async (t) => {
    const logged: unknown[] = [];
    const note = (level: string) => (fields: object, text: string) => void logged.push([level, text, fields]);
    const nodes = await startNodes(t, ['n1'], {
      log: { info: note('info'), warn: note('warn'), error: note('error') },
      onConnect: ({ user }) => {
        if (user === 'away') throw Object.assign(new Error('the database is away'), { code: 'unavailable' });
        throw new Error(`not ${user}`);
      },
    });
    for (const user of ['ann', 'away']) {
      const client = await connect(t, nodes.of('n1'), user);
      await until('it is closed', () => client.end);
    }
    const about = (user: string) =>
      logged.filter((line) => JSON.stringify(line).includes(`"user":"${user}"`));
    const refused = { user: 'ann', session: String, error: 'not ann', stack: undefined };
    t.match(about('ann'), [['info', 'the application refused a client', refused]]);
    t.match(about('away'), [['warn', 'the application failed', { stack: /the database is away/ }]]);
  },
);
