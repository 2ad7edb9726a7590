import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '@pinwheel/bench/load/free-ports.js';
import t, { type Test } from 'tap';
import { startConsul } from '../../../test/kit/consul.js';
import { until } from '../../../test/kit/until.js';
import { consulMembership } from '../src/consul/consul.js';
import type { ConsulOptions } from '../src/consul/consul-options.js';
import { entries, startFakeConsul } from './fake-consul.js';
import { startHealthzNode } from './healthz-node.js';
import { record } from './recorded-watch.js';

function opened(t: Test, port: number, options: Partial<ConsulOptions> = {}) {
  const membership = consulMembership({
    port,
    service: 'chat',
    timeoutMs: 300,
    waitMs: 400,
    firstRetryMs: 20,
    longestRetryMs: 100,
    pauseMs: 20,
    verifyMs: 300,
    ...options,
  });
  t.teardown(() => membership.close());
  return membership;
}

const say = (response: ServerResponse, status: number, type: string, body: string): void => {
  response.writeHead(status, { 'content-type': type, 'x-consul-index': '9' });
  response.end(body);
};

t.test('Consul answers nonsense', async (t) => {
  const fake = await startFakeConsul(t, entries('5', 'n1', 'n2'));
  const watch = record(opened(t, fake.port));
  await until('first view', () => watch.ids() === 'n1 n2');
  const nonsense: readonly [string, (response: ServerResponse) => void][] = [
    ['broken JSON', (response) => say(response, 200, 'application/json', '[{"Node":')],
    ['an object', (response) => say(response, 200, 'application/json', '{"Service":1}')],
    ['null', (response) => say(response, 200, 'application/json', 'null')],
    ['a page', (response) => say(response, 200, 'text/html', '<h1>hello</h1>')],
    ['nothing', (response) => say(response, 200, 'application/json', '')],
    ['500', (response) => say(response, 500, 'text/plain', 'No cluster leader')],
    ['400', (response) => say(response, 400, 'text/plain', 'bad')],
    ['403', (response) => say(response, 403, 'text/plain', 'Permission denied')],
    ['a closed connection', (response) => response.destroy()],
    [
      'half an answer',
      (response) => {
        response.writeHead(200, { 'content-type': 'application/json', 'content-length': '1000' });
        response.write('[');
        setTimeout(() => response.destroy(), 5);
      },
    ],
  ];
  for (const [name, answer] of nonsense) {
    await t.test(name, async (t) => {
      fake.answer = answer;
      const before = watch.troubles.length;
      await until('trouble, twice', () => watch.troubles.length >= before + 2);
      t.match(watch.troubles.at(-1), { code: 'membership', message: `Consul at 127.0.0.1:${fake.port}` });
      t.equal(watch.ids(), 'n1 n2', 'the last good view stays');
    });
  }
  await t.test('then sense again: the read after an error asks to be answered at once', async (t) => {
    fake.asked.length = 0;
    fake.answer = entries('6', 'n3');
    await until('new view', () => watch.ids() === 'n3');
    t.equal(
      fake.asked.filter((index) => index !== undefined).every((index) => index === '6'),
      true,
    );
  });
  await t.test('entries that are not services are left out', async (t) => {
    fake.answer = (response) =>
      say(response, 200, 'application/json', '[null, 1, {"Node":{},"Service":{"ID":"x"}}]');
    await until('nobody', () => watch.ids() === '');
    t.equal(watch.newest()?.ignored.length, 3);
  });
});

t.test('Consul hangs', async (t) => {
  const fake = await startFakeConsul(t, () => {});
  const watch = record(opened(t, fake.port));
  await until('trouble', () => watch.troubles.length > 0);
  t.match(watch.troubles[0], /timed out|abort/i);
  t.equal(watch.ids(), undefined);
  fake.answer = entries('5', 'n1');
  await until('first view', () => watch.ids() === 'n1');
});

t.test('Consul refuses', async (t) => {
  const membership = opened(t, await freePort());
  const watch = record(membership);
  await until('three troubles', () => watch.troubles.length >= 3);
  t.match(watch.troubles[0], /ECONNREFUSED/);
  const node = await startHealthzNode(t, 'n1');
  const refused = opened(t, await freePort(), { deadlineMs: 500 });
  const from = performance.now();
  await t.rejects(refused.register(node.registration), { code: 'membership' });
  t.ok(performance.now() - from < 5_000);
});

t.test('the index', async (t) => {
  await t.test('goes back: the next read asks to be answered at once', async (t) => {
    const answers = [entries('100', 'n1'), entries('40', 'n2')];
    const fake = await startFakeConsul(t, (response, request) => {
      (answers.shift() ?? (request.url?.includes('index=') ? () => {} : entries('41', 'n3')))(
        response,
        request,
      );
    });
    const watch = record(opened(t, fake.port));
    await until('third view', () => watch.ids() === 'n3');
    await until('a wait', () => fake.asked.length >= 4);
    t.same(fake.asked.slice(0, 4), [undefined, '100', undefined, '41']);
    t.same(
      watch.views.map(({ index }) => index),
      ['100', '40', '41'],
    );
  });

  await t.test('is always 0: reads are limited', async (t) => {
    const fake = await startFakeConsul(t, entries('0', 'n1'));
    const watch = record(opened(t, fake.port, { pauseMs: 100 }));
    const from = performance.now();
    await until('six reads', () => fake.asked.length >= 6);
    t.ok(performance.now() - from >= 350, 'two at once, then one per 100 ms');
    t.same([...new Set(fake.asked)], [undefined]);
    t.equal(watch.views.length, 1, 'a wake-up is no change');
  });

  await t.test('is beyond what a number holds', async (t) => {
    const fake = await startFakeConsul(t, (response, request) => {
      if (!request.url?.includes('index=')) entries('18446744073709551615', 'n1')(response, request);
    });
    const watch = record(opened(t, fake.port));
    await until('a wait', () => fake.asked.length >= 2);
    t.equal(fake.asked[1], '18446744073709551615');
    t.equal(watch.newest()?.index, '18446744073709551615');
  });
});

t.test('refresh', async (t) => {
  let ids = ['n1'];
  const fake = await startFakeConsul(t, (response, request) => {
    if (!request.url?.includes('index=')) entries('5', ...ids)(response, request);
  });
  const membership = opened(t, fake.port, { waitMs: 60_000, pauseMs: 1 });
  const watch = record(membership);
  await until('first view', () => watch.ids() === 'n1');
  ids = ['n1', 'n2'];
  await membership.refresh();
  t.equal(watch.ids(), 'n1 n2', 'cuts the wait short');
  await Promise.all(Array.from({ length: 50 }, () => membership.refresh()));
  t.ok(fake.asked.length < 20, `${fake.asked.length} reads for 50 refreshes`);
  fake.answer = () => {};
  const from = performance.now();
  await Promise.all([membership.refresh(), membership.refresh()]);
  t.ok(performance.now() - from < 5_000, 'ends at the deadline when Consul hangs');
  const waiting = membership.refresh();
  await membership.close();
  await waiting;
});

t.test('the source works only while it is needed', async (t) => {
  const fake = await startFakeConsul(t, entries('0', 'n1'));
  const membership = opened(t, fake.port);
  const watch = record(membership);
  await until('first view', () => watch.ids() === 'n1');
  watch.end();
  const { length } = fake.asked;
  const again = record(membership);
  await until('a new first view', () => again.ids() === 'n1');
  t.ok(fake.asked.length > length);
  t.equal(fake.asked[length], undefined);
});

t.test('it is closed while a node is being registered: nothing of that is left', async (t) => {
  const calls: string[] = [];
  const fake = await startFakeConsul(t, (response, { url = '' }) => {
    calls.push(url.split('?')[0]!);
    // the agent has entered it, and its answer comes late
    if (!url.endsWith('/register')) response.end('{}');
  });
  const node = await startHealthzNode(t, 'late');
  const membership = opened(t, fake.port);
  const registering = membership.register(node.registration);
  await until('it is under way', () => calls.at(-1) === '/v1/agent/service/register');
  await membership.close();
  await t.rejects(registering, /./);
  t.equal(calls.at(-1), '/v1/agent/service/deregister/late');
});

t.test('a node that stood still, lost its entry and was replaced at another agent stays out', async (t) => {
  let registered = 0;
  const listed = (ID: string, incarnation: string) => ({
    Node: { Node: 'other', Address: '127.0.0.2' },
    Service: { ID, Port: 7001, Meta: { 'pinwheel-incarnation': incarnation } },
  });
  const node = await startHealthzNode(t, 'woken');
  let list: readonly object[] = [listed('woken', node.registration.incarnation)];
  const fake = await startFakeConsul(t, (response, { url = '' }) => {
    if (url.includes('/health/') && url.includes('index=')) return; // its watch goes on seeing it
    if (url.endsWith('/register')) registered++;
    say(response, 200, 'application/json', url.includes('/health/') ? JSON.stringify(list) : '{}');
  });
  const membership = opened(t, fake.port, { waitMs: 60_000, verifyMs: 100 });
  const watch = record(membership);
  await until('it is listed', () => watch.ids() === 'woken');
  list = [listed('woken', 'another')];
  const { drain } = await membership.register(node.registration);
  await until('it has looked for its entry three times', () => watch.conflicts.length >= 3);
  t.match(watch.conflicts[0], {
    id: 'woken',
    reason:
      'id woken is registered by another process (incarnation another) at 127.0.0.2:7001; ids must be unique',
  });
  await drain();
  t.equal(registered, 1, 'as it started');
  list = [];
  await until('the other one is gone', () => registered > 1);
});

t.test('a Consul is called at an IPv6 address, too', async (t) => {
  const membership = opened(t, await freePort(), { host: '::1', deadlineMs: 200 });
  const node = await startHealthzNode(t, 'six');
  // nobody listens there, or there is no such address on this machine: but it was one, and no name
  const error = await membership.register(node.registration).then(
    () => undefined,
    (thrown: Error) => thrown.message,
  );
  t.match(error, /ECONNREFUSED|EADDRNOTAVAIL|ENETUNREACH|EAFNOSUPPORT/);
});

t.test('a token file is read for every call, a tag is asked for', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'pinwheel-token-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  const tokenFile = join(folder, 'token');
  const seen: unknown[] = [];
  const fake = await startFakeConsul(t, (response, request) => {
    seen.push(request.headers['x-consul-token']);
    t.match(request.url, 'tag=blue');
    t.match(request.url, 'stale=1');
    entries('0', 'n1')(response, request);
  });
  await writeFile(tokenFile, 'first\n');
  record(opened(t, fake.port, { tokenFile, tag: 'blue', stale: true }));
  await until('first token', () => seen.includes('first'));
  await writeFile(tokenFile, 'second\n');
  await until('second token', () => seen.includes('second'));
});

t.test('bad options are refused by name', async (t) => {
  const cases = [
    [{ service: '' }, 'service is ""'],
    [{ service: 'a/b' }, 'service is "a/b"'],
    [{ service: 'a', port: 0 }, 'port is 0'],
    [{ service: 'a', host: 'a b' }, 'host is "a b"'],
    [{ service: 'a', waitMs: Number.NaN }, 'waitMs is null; it must be between 100 and 600000'],
    [{ service: 'a', verifyMs: 1 }, 'verifyMs is 1; it must be between 100 and 3600000'],
  ] as const;
  for (const [options, message] of cases) {
    t.throws(() => consulMembership(options), { code: 'bad-option', message: new RegExp(message) });
  }
});

t.test('a real Consul', async (t) => {
  const consul = await startConsul(t);

  await t.test('foreign backends, silly registrations and repeated ids', async (t) => {
    const watch = record(opened(t, consul.port, { service: 'mixed' }));
    await consul.register({ Name: 'mixed', ID: 'app-1', Port: 9001 });
    await consul.register({ Name: 'mixed', ID: 'no-port', Address: '127.0.0.1' });
    await consul.register({ Name: 'mixed', ID: 'bad weight', Address: '127.0.0.1', Port: 9002 });
    await consul.register({
      Name: 'mixed',
      ID: 'w',
      Address: '127.0.0.1',
      Port: 9003,
      Meta: { 'pinwheel-weight': '-1' },
    });
    await consul.api('PUT', '/v1/catalog/register', {
      Node: 'other-agent',
      Address: '127.0.0.2',
      Service: { Service: 'mixed', ID: 'app-1', Port: 9009 },
    });
    await until('all of them', () => watch.newest()?.ignored.length === 4);
    t.same(watch.newest()?.members, [
      { id: 'app-1', address: '127.0.0.2', port: 9009, weight: 1, draining: false, kind: 'foreign' },
    ]);
    t.same(
      watch
        .newest()
        ?.ignored.map(({ id }) => id)
        .sort(),
      ['"bad weight"', 'app-1', 'no-port', 'w'],
    );
  });

  await t.test('draining does not make the check flap', async (t) => {
    const node = await startHealthzNode(t, 'calm');
    const membership = opened(t, consul.port, { service: 'calm', checkIntervalMs: 1000 });
    const watch = record(membership);
    const registered = await membership.register({ ...node.registration, wsPort: 7101, weight: 2 });
    await until('the check has passed', async () => {
      const checks = (await consul.api('GET', '/v1/agent/checks')) as Record<string, { Output: string }>;
      return checks['service:calm']?.Output.includes('200 OK');
    });
    for (let i = 0; i < 5; i++) await registered.drain();
    await until('draining', () => watch.newest()?.members[0]?.draining);
    t.same(
      watch.views.flatMap(({ members }) => members.map(({ id, draining }) => `${id} ${draining}`)),
      ['calm false', 'calm true'],
    );
    t.match(watch.newest()?.members[0], { wsPort: 7101, weight: 2, kind: 'node' });
    await registered.leave();
    await until('gone', () => watch.ids() === '');
  });

  await t.test('an entry that was lost is entered again, draining or not', async (t) => {
    const node = await startHealthzNode(t, 'lost');
    const membership = opened(t, consul.port, { service: 'lost' });
    const watch = record(membership);
    const registered = await membership.register(node.registration);
    await until('there', () => watch.ids() === 'lost');
    await consul.deregister('lost');
    await until('gone', () => watch.views.some(({ members }, i) => i > 0 && members.length === 0));
    await until('back', () => watch.ids() === 'lost');
    await registered.drain();
    await consul.deregister('lost');
    await until('back, draining', () => watch.newest()?.members[0]?.draining);
    await registered.leave();
    await until('gone for good', () => watch.ids() === '');
  });

  await t.test(
    'an entry that Consul took out because its check fails is not taken for one that passes',
    async (t) => {
      const node = await startHealthzNode(t, 'failing');
      const times = { checkIntervalMs: 1000, checkTimeoutMs: 200 };
      const membership = opened(t, consul.port, { service: 'failing', ...times });
      const watch = record(membership);
      const registered = await membership.register(node.registration);
      await until('there', () => watch.ids() === 'failing');
      node.mode = 'fails';
      await until('its check fails', () => watch.ids() === '');
      const since = performance.now();
      await until('and has for a while', () => performance.now() - since > 2600);
      await consul.deregister('failing');
      const seen = watch.views.length;
      await until('it is entered again, and its check has run', async () => {
        const checks = (await consul.api('GET', '/v1/agent/checks')) as Record<string, { Output: string }>;
        return checks['service:failing']?.Output !== undefined && checks['service:failing'].Output !== '';
      });
      await membership.refresh();
      t.ok(
        watch.views.slice(seen).every(({ members }) => members.length === 0),
        'nobody has seen it',
      );
      node.mode = 'answers';
      await until('it is there when it passes', () => watch.ids() === 'failing');
      await registered.leave();
    },
  );

  await t.test('another process under the same id is left alone and named', async (t) => {
    const first = await startHealthzNode(t, 'twin');
    const second = await startHealthzNode(t, 'twin');
    const membership = opened(t, consul.port, { service: 'twin', verifyMs: 100 });
    const watch = record(membership);
    const registered = await membership.register(first.registration);
    await opened(t, consul.port, { service: 'twin' }).register(second.registration);
    const conflict = await until('named', () => watch.conflicts[0]);
    t.equal(conflict.id, 'twin');
    t.match(conflict.reason, `another process (incarnation ${second.registration.incarnation})`);
    t.match(conflict.reason, 'ids must be unique: end one of the two or give it another id');
    t.same(watch.troubles, [], 'the source can be read');
    await registered.drain();
    await membership.refresh();
    const [there] = watch.newest()!.members;
    t.match(there, { incarnation: second.registration.incarnation, draining: false }, 'nor does it drain');
    await registered.leave();
    await membership.refresh();
    t.equal(watch.newest()?.members[0]?.incarnation, second.registration.incarnation);
  });

  await t.test(
    'an entry that was lost is not made anew when another agent has one of another process',
    async (t) => {
      const node = await startHealthzNode(t, 'moved');
      const membership = opened(t, consul.port, { service: 'moved', verifyMs: 100 });
      const watch = record(membership);
      await membership.register(node.registration);
      await until('there', () => watch.ids() === 'moved');
      const Service = {
        Service: 'moved',
        ID: 'moved',
        Port: 9010,
        Meta: { 'pinwheel-incarnation': 'another' },
      };
      await consul.api('PUT', '/v1/catalog/register', { Node: 'agent-b', Address: '127.0.0.3', Service });
      await until('replaced', () => watch.newest()?.members[0]?.incarnation === 'another');
      await consul.deregister('moved');
      const conflict = await until('named', () => watch.conflicts[0]);
      t.match(conflict.reason, 'another process (incarnation another) at 127.0.0.3:9010');
      await membership.refresh();
      t.equal(watch.newest()?.members[0]?.incarnation, 'another');
      await consul.api('PUT', '/v1/catalog/deregister', { Node: 'agent-b' });
      await until('it is back when the other one is gone', () => {
        return watch.newest()?.members[0]?.incarnation === node.registration.incarnation;
      });
    },
  );

  await t.test('an id that another service has at the agent is refused, and that node stays', async (t) => {
    const first = await startHealthzNode(t, 'shared');
    const second = await startHealthzNode(t, 'shared');
    const membership = opened(t, consul.port, { service: 'feed', tag: 'blue', verifyMs: 100 });
    const watch = record(membership);
    const registered = await membership.register(first.registration);
    for (const options of [{ service: 'news' }, { service: 'feed', tag: 'green' }]) {
      const refused = opened(t, consul.port, options).register(second.registration);
      await t.rejects(refused, {
        code: 'membership',
        message:
          /^id shared is taken by service feed \(blue\) at this Consul agent.*give this node another id/,
      });
    }
    await membership.refresh();
    t.equal(watch.newest()?.members[0]?.incarnation, first.registration.incarnation);
    t.same(watch.conflicts, []);

    await t.test('taken over by whoever does not look, it is named and left alone', async (t) => {
      await consul.register({ Name: 'news', ID: 'shared', Port: 9001 });
      const conflict = await until('named', () => watch.conflicts[0]);
      t.match(conflict, { id: 'shared', reason: /^id shared is registered by service news at this Consul/ });
      await registered.drain();
      await registered.leave();
      const services = (await consul.api('GET', '/v1/agent/services')) as Record<string, { Service: string }>;
      t.equal(services['shared']?.Service, 'news');
    });
  });

  await t.test('a node that dies is gone within the interval of its check', async (t) => {
    const node = await startHealthzNode(t, 'mortal');
    const membership = opened(t, consul.port, { service: 'mortal' });
    const watch = record(membership);
    await membership.register(node.registration);
    await until('there', () => watch.ids() === 'mortal');
    await node.kill();
    const from = performance.now();
    await until('gone', () => watch.ids() === '');
    t.ok(performance.now() - from < 5_000);
  });

  await t.test('Consul stands still and goes on', async (t) => {
    const membership = opened(t, consul.port, { service: 'mixed' });
    const watch = record(membership);
    await until('first view', () => watch.ids() === 'app-1');
    await consul.pause();
    await until('trouble', () => watch.troubles.length > 0);
    t.equal(watch.ids(), 'app-1');
    consul.resume();
    const { fresh } = watch;
    await until('read again', () => watch.fresh > fresh);
    t.equal(watch.views.length, 1);
  });

  await t.test('Consul is restarted and has lost its data: nodes enter themselves again', async (t) => {
    const nodes = await Promise.all(['r1', 'r2', 'r3'].map((id) => startHealthzNode(t, id)));
    const memberships = nodes.map(() => opened(t, consul.port, { service: 'restart' }));
    const watches = memberships.map(record);
    for (const [i, node] of nodes.entries()) await memberships[i]!.register(node.registration);
    await until('all three', () => watches.every((watch) => watch.ids() === 'r1 r2 r3'));
    await consul.stop();
    await until('trouble', () => watches.every((watch) => watch.troubles.length > 0));
    t.ok(
      watches.every((watch) => watch.ids() === 'r1 r2 r3'),
      'the last good view stays',
    );
    await consul.start();
    await until('an empty list', () =>
      watches.some((watch) => watch.views.some(({ members }, i) => i > 3 || members.length < 3)),
    );
    await until('all three again', () => watches.every((watch) => watch.ids() === 'r1 r2 r3'));
  });
});
