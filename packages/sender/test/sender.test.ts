import { freePort } from '@pinwheel/bench/load/free-ports.js';
import { inProcessMembership, type Membership, membershipFrom } from '@pinwheel/membership';
import t from 'tap';
import { startHttpServer } from '../../../test/kit/http-server.js';
import { until } from '../../../test/kit/until.js';
import { createSender } from '../src/index.js';
import { connect, startNode, startNodes, startSender, tracking } from './kit/service.js';

t.test('users on three nodes', async (t) => {
  const { membership, nodes } = await startNodes(t, ['n1', 'n2', 'n3']);
  const sender = await startSender(t, { membership });
  const users = Array.from({ length: 60 }, (_, i) => `user ${i}`);
  const texts = await Promise.all(users.map((user) => connect(t, nodes, user)));

  t.test('messages that are sent before the ring is known arrive, in order', async (t) => {
    const early = createSender({ membership });
    t.teardown(() => early.close());
    const receipts = await Promise.all(
      users.flatMap((user) => ['1', '2', '3'].map((data) => early.send(user, data))),
    );
    t.ok(receipts.every(({ status, sessions }) => status === 'delivered' && sessions === 1));
    await until('all of them', () => texts.every(({ length }) => length === 3));
    t.ok(texts.every((of) => of.join() === '1,2,3'));
  });

  t.test(
    'one message to many goes in one request per owner, receipts in the order of the users',
    async (t) => {
      const { batches } = sender.counters().dispatch;
      const to = [...users, 'nobody', users[0] ?? ''];
      const receipts = await sender.sendMany(to, 'all');
      t.same(
        receipts.map(({ user, status }) => `${user} ${status}`),
        to.map((user) => `${user} ${user === 'nobody' ? 'offline' : 'delivered'}`),
      );
      t.equal(sender.counters().dispatch.batches - batches, 3);
      await until('all of them', () => texts.every((of) => of.includes('all')));
      t.same(await sender.sendMany([], 'x'), []);
    },
  );

  t.test('a broadcast reaches everybody', async (t) => {
    const { copies, bytes } = sender.counters().traffic;
    t.same(await sender.broadcast('to all'), { nodes: 3, delivered: 60 });
    t.same(sender.counters().traffic, { copies: copies + 1, bytes: bytes + 6 }, 'one call');
    await until('all of them', () => texts.every((of) => of.includes('to all')));
  });

  t.test('what cannot be sent is refused with the reason, and takes nothing else with it', async (t) => {
    const lone = '\ud800';
    for (const [user, code] of [
      ['', 'bad-user'],
      ['x'.repeat(257), 'bad-user'],
      [lone, 'bad-user'],
      [null, 'bad-user'],
      [{}, 'bad-user'],
    ] as const) {
      await t.rejects(sender.send(user as string, 'x'), { name: 'PinwheelError', code });
      await t.rejects(sender.sendMany([users[0] ?? '', user as string], 'no'), { code });
    }
    const send = (data: unknown, options = {}) => sender.send(users[0] ?? '', data as string, options);
    await t.rejects(send('x'.repeat(1_048_577)), { code: 'too-large' });
    await t.rejects(send('é'.repeat(524_289)), { code: 'too-large' });
    await t.rejects(send(undefined), { code: 'bad-request' });
    await t.rejects(send(7), { code: 'bad-request' });
    await t.rejects(send('x', { id: '' }), { code: 'bad-request' });
    await t.rejects(send('x', { id: 'ü' }), { code: 'bad-request' });
    for (const deadlineMs of [0, -1, Number.NaN, Number.POSITIVE_INFINITY, 60_001]) {
      await t.rejects(send('x', { deadlineMs }), { code: 'bad-option', message: /^deadlineMs is / });
      await t.rejects(sender.broadcast('x', { deadlineMs }), { code: 'bad-option' });
    }
    const [bad, good] = await Promise.allSettled([
      send(Buffer.from([0xff]), { binary: false }),
      send('good'),
    ]);
    t.match(bad, { status: 'rejected', reason: { code: 'bad-request' } });
    t.match(good, { status: 'fulfilled', value: { status: 'delivered' } });
    t.match(await send('x'.repeat(1_048_576)), { status: 'delivered' }, 'the largest there may be');
    t.match(await send('x', { deadlineMs: 60_000 }), { status: 'delivered' });
    t.notOk(texts[0]?.includes('no'));
  });

  t.test(
    'a node dies in between: its users’ messages go to the new owners, the others’ are not disturbed',
    async (t) => {
      // its entry stays when it is closed, as if it had been killed
      const victim = await startNode(t, membership, 'victim', {
        membership: {
          description: membership.description,
          watch: (listener) => membership.watch(listener),
          refresh: () => membership.refresh(),
          register: async (self) => ({ ...(await membership.register(self)), leave: async () => {} }),
          close: async () => {},
        },
      });
      await until('it owns users', () =>
        [...nodes, victim].every(({ tracker }) => tracker.current.ring.members.length === 4),
      );
      const owned = Array.from({ length: 500 }, (_, i) => `v${i}`).filter(
        (user) => victim.tracker.current.ring.owner(user) === 'victim',
      );
      await until('the sender knows it', async () => {
        await sender.sendMany(owned, 'x');
        return sender.counters().waitingUsers === 0;
      });
      const sends = owned.map((user) => sender.send(user, 'to the dead'));
      const others = users.slice(0, 20).map((user) => sender.send(user, 'to the living'));
      await victim.close();
      const more = owned.map((user) => sender.send(user, 'afterwards'));
      await until('it was tried in vain', () => sender.counters().waitingUsers > 0);
      membership.remove('victim');
      t.ok((await Promise.all(others)).every(({ status }) => status === 'delivered' || status === 'offline'));
      const receipts = await Promise.all([...sends, ...more]);
      t.same(
        [...new Set(receipts.map(({ status }) => status))],
        ['offline'],
        'nobody is connected, and a new owner says so',
      );
      t.match(sender.counters(), { queuedMessages: 0, queuedBytes: 0, waitingUsers: 0 });
    },
  );
});

t.test('a member that nobody listens at: messages wait until the ring has changed', async (t) => {
  const membership = inProcessMembership();
  membership.set({ id: 'gone', port: await freePort() });
  const sender = await startSender(t, { membership });
  const sends = [1, 2, 3].map((n) => sender.send('ann', `${n}`));
  await until('it has been tried', () => sender.counters().dispatch.retries > 2);
  const node = await startNode(t, membership, 'n1', { tracking: { ...tracking, freezeAbove: 1 } });
  membership.remove('gone');
  await until(
    'n1 is alone',
    () =>
      node.tracker.current.ring.members.join() !== '' &&
      node.tracker.current.ring.members.every(({ id }) => id === 'n1'),
  );
  const receipts = await Promise.all(sends);
  t.ok(
    receipts.every(({ status }) => status === 'offline'),
    JSON.stringify(receipts),
  );
});

t.test('a broadcast passes over a member that nobody listens at', async (t) => {
  const { membership } = await startNodes(t, ['n1']);
  membership.set({ id: 'dead', port: await freePort() });
  const sender = await startSender(t, { membership });
  for (let i = 0; i < 8; i++) {
    t.match(await sender.broadcast('x'), { nodes: 1, delivered: 0, failed: [{ node: 'dead' }] });
  }
});

t.test('a broadcast passes over a node that took nothing, for as long as there is time', async (t) => {
  const { membership } = await startNodes(t, ['n1']);
  const refusing = inProcessMembership();
  let refusalMs = 0;
  let asked = 0;
  for (let i = 0; i < 9; i++) {
    const port = await startHttpServer(t, (_request, response) => {
      asked++;
      const body = '{"error":{"code":"unavailable","message":"it stood still"}}';
      setTimeout(() => response.writeHead(503, { 'content-type': 'application/json' }).end(body), refusalMs);
    });
    for (const where of [membership, refusing]) where.set({ id: `refusing-${i}`, port });
  }
  const sender = await startSender(t, { membership });
  for (let i = 0; i < 8; i++) t.match(await sender.broadcast('x'), { delivered: 0 });
  const other = await startSender(t, { membership: refusing });
  refusalMs = 200;
  asked = 0;
  await t.rejects(other.broadcast('x', { deadlineMs: 500 }));
  t.ok(asked <= 3, `${asked} of 9 were asked, each for 200 of 500 ms`);
});

t.test('nobody to send to: the receipt says so at the deadline', async (t) => {
  const membership = inProcessMembership();
  const sender = await startSender(t, { membership, deadlineMs: 100 });
  const start = performance.now();
  t.match(await sender.send('ann', 'x'), { status: 'overloaded', error: { code: 'unavailable' } });
  t.ok(performance.now() - start >= 99);
  await t.rejects(sender.broadcast('x'), { code: 'unavailable' });
});

t.test('a broadcast waits no longer for a ring than it may take', async (t) => {
  // one that refuses would be told of in place of that, as soon as it is known
  const membership = `consul://127.0.0.1:${await startHttpServer(t, () => {})}/nobody`;
  const sender = createSender({ membership: membershipFrom(membership) });
  t.teardown(() => sender.close());
  await t.rejects(sender.broadcast('x', { deadlineMs: 100 }), {
    code: 'unavailable',
    message: /there is no ring yet$/,
  });
});

t.test('a source of members that comes later than the sender', async (t) => {
  const real = inProcessMembership();
  await startNode(t, real, 'n1');
  let begin = (): void => {};
  const late: Membership = {
    ...real,
    description: 'a source that comes later',
    watch: (listener) => {
      listener.trouble(new Error('connection refused'));
      let end = (): void => {};
      begin = () => {
        end = real.watch(listener);
      };
      return () => end();
    },
    refresh: async () => {},
  };
  const sender = createSender({ membership: late });
  t.teardown(() => sender.close());
  const why = { code: 'membership', message: /there is no ring yet: connection refused/ };
  await t.rejects(sender.ready(50), why, 'whoever waits for it learns why');
  t.match(await sender.send('ann', 'x', { deadlineMs: 50 }), { status: 'overloaded', error: why });
  const waiting = sender.send('ann', 'y', { deadlineMs: 30_000 });
  const patient = [sender.ready(Number.POSITIVE_INFINITY), sender.ready(2 ** 31)];
  for (const ready of patient) ready.catch(() => {});
  await t.rejects(sender.ready(50), why);
  begin();
  await t.resolves(Promise.all(patient), 'nor is a time too long for a timer no time at all');
  await sender.ready();
  t.match(await waiting, { status: 'offline' }, 'and what was sent meanwhile goes');
});

t.test('closing waits for a broadcast, too', async (t) => {
  const membership = inProcessMembership();
  membership.set({ id: 'silent', port: await startHttpServer(t, () => {}) });
  const sender = await startSender(t, { membership });
  const broadcast = sender.broadcast('x', { deadlineMs: 500 });
  await Promise.all([t.rejects(broadcast, { code: 'deadline' }, 'it is not cut'), sender.close()]);
});

t.test('a node that hands a broadcast to a queue, or refuses it, is understood', async (t) => {
  const membership = inProcessMembership();
  let answer = { status: 202, body: '{"nodes":3}' };
  const port = await startHttpServer(t, (_request, response) => {
    response.writeHead(answer.status, { 'content-type': 'application/json' }).end(answer.body);
  });
  membership.set({ id: 'n1', port });
  const sender = await startSender(t, { membership });
  t.same(await sender.broadcast('x'), { nodes: 3 });
  answer = { status: 413, body: '{"error":{"code":"too-large","message":"at most 1 byte"}}' };
  await t.rejects(sender.broadcast('xx'), { code: 'too-large', message: /n1 answered 413: at most 1 byte/ });
  for (const status of [502, 503, 504]) {
    answer = { status, body: 'upstream reset' };
    const message = new RegExp(`n1 answered ${status}: upstream reset`);
    await t.rejects(
      sender.broadcast('x'),
      { code: 'unknown-outcome', message },
      'a proxy may have passed it on',
    );
  }
});

t.test('a broadcast names a node that does not answer, in time for its caller', async (t) => {
  const { membership, nodes } = await startNodes(t, ['n1']);
  await connect(t, nodes, 'ann');
  // who drains is not asked to pass it on, but has users
  membership.set({ id: 'silent', port: await startHttpServer(t, () => {}), draining: true });
  const sender = await startSender(t, { membership });
  t.match(await sender.broadcast('x', { deadlineMs: 1000 }), {
    nodes: 1,
    delivered: 1,
    failed: [{ node: 'silent' }],
  });
});

t.test('the queue has a bound, and closing ends what waits', async (t) => {
  const membership = inProcessMembership();
  membership.set({ id: 'silent', port: await startHttpServer(t, () => {}) });
  const sender = await startSender(t, { membership, deadlineMs: 500, maxQueuedMessages: 50 });
  const sends = Array.from({ length: 80 }, (_, i) => sender.send(`u${i}`, 'x'));
  t.equal(sender.counters().queuedMessages, 50);
  t.equal(sender.counters().dispatch.refused, 30);
  await Promise.all([sender.close(), sender.close()]);
  const codes = (await Promise.all(sends)).map(({ error }) => error?.code);
  t.equal(codes.filter((code) => code === 'overloaded').length, 30);
  t.equal(codes.filter((code) => code === 'deadline').length, 50);
  t.match(sender.counters(), { queuedMessages: 0, queuedBytes: 0 });
  await t.rejects(sender.send('a', 'x'), { code: 'closed' });
  await t.rejects(sender.sendMany(['a'], 'x'), { code: 'closed' });
  await t.rejects(sender.broadcast('x'), { code: 'closed' });
});

t.test('closing waits as long as a message has time, and says of none that it was not taken', async (t) => {
  const { membership } = await startNodes(t, ['n1', 'n2']);
  membership.set({ id: 'silent', port: await startHttpServer(t, () => {}) });
  const sender = await startSender(t, { membership, deadlineMs: 100 });
  const start = performance.now();
  const users = Array.from({ length: 20 }, (_, i) => `u${i}`);
  const sends = users.map((user) => sender.send(user, 'x', { deadlineMs: 1500 }));
  await sender.close();
  const receipts = await Promise.all(sends);
  t.ok(performance.now() - start >= 1490, 'some had no answer');
  const ends = receipts.map(({ status, error }) => error?.code ?? status);
  t.ok(ends.includes('deadline'), `none came back from there: ${ends.join()}`);
  t.notOk(ends.includes('closed'));
});

t.test('closing waits for the receipts of what was taken', async (t) => {
  const { membership, nodes } = await startNodes(t, ['n1', 'n2']);
  const sender = await startSender(t, { membership });
  const texts = await connect(t, nodes, 'ann');
  const sends = Array.from({ length: 200 }, (_, i) => sender.send('ann', `${i}`));
  await sender.close();
  t.ok((await Promise.all(sends)).every(({ status }) => status === 'delivered'));
  await until('all of them', () => texts.length === 200);
  t.same(
    texts,
    Array.from({ length: 200 }, (_, i) => `${i}`),
  );
});

t.test('ring settings that differ from the members’: ready rejects, and receipts say why', async (t) => {
  const { membership } = await startNodes(t, ['n1']);
  const sender = createSender({ membership, ringSettings: { virtualNodes: 100 }, deadlineMs: 200 });
  t.teardown(() => sender.close());
  await t.rejects(sender.ready(), { code: 'settings-mismatch', message: /virtualNodes/ });
  t.match(await sender.send('ann', 'x'), { status: 'overloaded', error: { code: 'settings-mismatch' } });
  await t.rejects(sender.broadcast('x'), { code: 'settings-mismatch' });
});

t.test('options out of their bounds are refused by name', async (t) => {
  const membership = inProcessMembership();
  t.throws(() => createSender({}), { code: 'bad-option', message: /membership and tracker/ });
  for (const [name, value] of [
    ['deadlineMs', 0],
    ['deadlineMs', 60_001],
    ['maxQueuedMessages', 0],
    ['maxQueuedBytes', 1_048_576],
    ['maxBatchMessages', 16_385],
    ['maxBatchBytes', 100],
    ['maxAttempts', Number.NaN],
  ] as const) {
    t.throws(() => createSender({ membership, [name]: value }), {
      code: 'bad-option',
      message: new RegExp(`^${name} is ${value}; it must be a whole number between`),
    });
  }
});
