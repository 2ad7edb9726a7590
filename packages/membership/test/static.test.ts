import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { until } from '../../../test/kit/until.js';
import { membershipFrom } from '../src/parse-membership.js';
import { staticMembership } from '../src/static/static.js';
import { startHealthzNode } from './healthz-node.js';
import { record } from './recorded-watch.js';

async function inFolder(t: Test) {
  const folder = await mkdtemp(join(tmpdir(), 'pinwheel-static-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  const path = join(folder, 'members.json');
  return {
    path,
    write: (content: unknown) =>
      writeFile(path, typeof content === 'string' ? content : JSON.stringify(content)),
    replace: async (content: unknown) => {
      await writeFile(`${path}.tmp`, JSON.stringify(content));
      await rename(`${path}.tmp`, path);
    },
  };
}

const entry = (id: string, port: number, more: object = {}) => ({ id, address: '127.0.0.1', port, ...more });

t.test('the file changes', async (t) => {
  const { path, write, replace } = await inFolder(t);
  await write({ members: [entry('a', 1), entry('b', 1)] });
  // so slow a poll that only the folder's events can explain what is seen
  const membership = staticMembership(path, { pollMs: 600_000 });
  t.teardown(() => membership.close());
  const watch = record(membership);
  await until('first view', () => watch.ids() === 'a b');

  await t.test('replaced by renaming', async () => {
    await replace({ members: [entry('a', 1), entry('c', 1, { weight: 2, wsPort: 7, draining: true })] });
    await until('c', () => watch.ids() === 'a c');
    t.match(watch.newest()?.members[1], { weight: 2, wsPort: 7, draining: true, kind: 'node' });
    t.match(watch.newest()?.members[0], { weight: 1, draining: false, kind: 'foreign' });
  });

  await t.test('written in place', async () => {
    await write({ members: [entry('d', 1)] });
    await until('d', () => watch.ids() === 'd');
  });

  const broken: readonly [string, unknown, RegExp][] = [
    ['half a file', '{"members":[{"id":"a"', /is not a list of members/],
    ['an empty file', '', /is not a list of members/],
    ['no members', {}, /members/],
    [
      'a silly port',
      { members: [entry('a', 1), entry('b', 70_000)] },
      /members\[1\]\.port: port is 70000; it must be/,
    ],
    [
      'a silly address',
      { members: [entry('a', 1, { address: ' ' })] },
      /members\[0\]\.address: address is " "/,
    ],
    ['a silly weight', { members: [entry('a', 1, { weight: '1' })] }, /members\[0\]\.weight/],
    ['an unknown field', { members: [entry('a', 1, { wight: 1 })] }, /members\[0\].*wight/],
    ['an id twice', { members: [entry('a', 1), entry('a', 2)] }, /id a is in the list twice/],
  ];
  for (const [name, content, reason] of broken) {
    await t.test(`broken: ${name}`, async (t) => {
      await write(content);
      await membership.refresh();
      t.match(watch.troubles.at(-1)?.message, reason);
      t.match(watch.troubles.at(-1)?.message, path);
      t.equal(watch.ids(), 'd', 'the last good view stays');
    });
  }

  await t.test('gone, and there again', async () => {
    await rm(path);
    await membership.refresh();
    t.equal(watch.troubles.at(-1)?.message, `cannot read ${path}: no such file`);
    await replace({ members: [entry('e', 1)] });
    await until('e', () => watch.ids() === 'e');
  });
});

t.test('without events of the folder the poll sees a change', async (t) => {
  const { path, write } = await inFolder(t);
  await write({ members: [] });
  const membership = staticMembership(path, { pollMs: 50 });
  t.teardown(() => membership.close());
  const watch = record(membership);
  await until('first view', () => watch.ids() === '');
  const { fresh } = watch;
  await until('five more reads', () => watch.fresh >= fresh + 5);
  t.equal(watch.views.length, 1);
});

t.test('what members say of themselves', async (t) => {
  const node = await startHealthzNode(t, 'n1');
  const other = await startHealthzNode(t, 'somebody-else');
  const membership = staticMembership([entry('n1', node.port), entry('n2', other.port)], { pollMs: 50 });
  t.teardown(() => membership.close());
  const watch = record(membership);
  await until('first view', () => watch.newest());
  const first = () => watch.newest()?.members[0];
  t.match(first(), { kind: 'node', incarnation: node.registration.incarnation, draining: false });
  t.match(first(), { settingsDigest: node.registration.settingsDigest });
  t.equal(watch.newest()?.members[1]?.incarnation, undefined, 'the answer of another id is not believed');

  node.draining = true;
  await until('draining', () => first()?.draining);
  node.mode = 'hang';
  const { fresh } = watch;
  await until('two more rounds', () => watch.fresh >= fresh + 2);
  t.match(first(), { id: 'n1', kind: 'node', draining: true }, 'who does not answer keeps what it said');
  await node.kill();
  await until('who drained and is not there any more has left', () => watch.ids() === 'n2');

  const again = await startHealthzNode(t, 'n1', { port: node.port });
  await until('restarted', () => first()?.incarnation === again.registration.incarnation);
  t.equal(first()?.draining, false);
});

t.test('a member that hangs does not hold up the others for longer than its deadline', async (t) => {
  const hanging = await startHealthzNode(t, 'hanging');
  hanging.mode = 'hang';
  const membership = staticMembership([entry('hanging', hanging.port)], { askTimeoutMs: 100 });
  t.teardown(() => membership.close());
  const from = performance.now();
  const watch = record(membership);
  await until('first view', () => watch.ids() === 'hanging');
  t.ok(performance.now() - from < 5_000);
});

t.test('a node registers', async (t) => {
  const { path, write } = await inFolder(t);
  const node = await startHealthzNode(t, 'n1');
  const membership = membershipFrom(`static:${path}`);
  t.teardown(() => membership.close());
  const refused = (self: object, reason: RegExp) =>
    t.rejects(membership.register({ ...node.registration, ...self }), {
      code: 'membership',
      message: reason,
    });

  await refused({}, /^cannot read .*members\.json: no such file$/);
  await write({ members: [entry('n2', 7002)] });
  await refused(
    {},
    /member n1 is not in file .*members\.json; its entry must say \{"id":"n1","address":"127\.0\.0\.1","port":\d+\}/,
  );
  await write({ members: [entry('n1', 7001)] });
  await refused({}, /member n1 has port 7001, not \d+, in file/);
  await write({ members: [entry('n1', node.port)] });
  await write({ members: [entry('n1', node.port, { wsPort: 7102 })] });
  await refused({ wsPort: 7101 }, /member n1 has wsPort 7102, not 7101, in file .*"wsPort":7101/);
  t.match(await membership.portsOf?.('n1'), { port: node.port, wsPort: 7102 });
  t.equal(await membership.portsOf?.('n2'), undefined);
  await write({ members: [entry('n1', node.port)] });
  await (await membership.register({ ...node.registration, wsPort: 7101 })).leave();
  const registered = await membership.register(node.registration);
  await registered.drain();
  await registered.leave();
});

t.test('a node says itself where its clients come, if the list does not', async (t) => {
  const node = await startHealthzNode(t, 'n1');
  node.wsPort = 7101;
  const membership = staticMembership([entry('n1', node.port)], { pollMs: 20 });
  const strict = staticMembership([entry('n1', node.port)], {
    pollMs: 20,
    addresses: { allowPorts: [`${node.port}`] },
  });
  t.teardown(() => Promise.all([membership.close(), strict.close()]));
  const watch = record(membership);
  await until('first view', () => watch.ids() === 'n1');
  t.match(watch.newest()?.members[0], { kind: 'node', wsPort: 7101 });
  node.wsPort = 7102;
  await until('it has another', () => watch.newest()?.members[0]?.wsPort === 7102);
  const strictly = record(strict);
  await until('first view', () => strictly.newest() !== undefined);
  t.same(strictly.newest()?.members, [], 'only where it may');
  t.match(strictly.newest()?.ignored, [{ id: 'n1', reason: /7102/ }]);
});

t.test('a node that drains sees so at once, however rarely it looks', async (t) => {
  const node = await startHealthzNode(t, 'n1');
  const membership = staticMembership([entry('n1', node.port)], { pollMs: 3_600_000 });
  t.teardown(() => membership.close());
  const watch = record(membership);
  await until('first view', () => watch.ids() === 'n1');
  const registered = await membership.register(node.registration);
  t.equal(watch.newest()?.members[0]?.draining, false);
  node.draining = true;
  await registered.drain();
  t.equal(watch.newest()?.members[0]?.draining, true);
});

t.test('a list that is given as it is, is checked when it is given', async (t) => {
  t.throws(() => staticMembership([entry('a', 0)]), {
    code: 'bad-option',
    message: /members\[0\]\.port: port is 0/,
  });
  t.throws(() => staticMembership([entry('a', 1), entry('a', 2)]), /id a is in the list twice/);
});
