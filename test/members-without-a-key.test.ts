import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { consulMembership, createRingTracker } from '@pinwheel/membership';
import { createNode, type PinwheelNode } from '@pinwheel/node';
import { createSender } from '@pinwheel/sender';
import { KeyRing } from '@pinwheel/trust';
import t from 'tap';
import { startConsul } from './kit/consul.js';
import { startHttpServer } from './kit/http-server.js';
import { runPinwheel } from './kit/pinwheel-process.js';
import { until } from './kit/until.js';

type Scope = { teardown(end: () => void | Promise<void>): unknown };

const textOf = (...ids: string[]): string =>
  JSON.stringify({ keys: ids.map((id) => ({ id, secret: id.repeat(32) })) });
const keysOf = (...ids: string[]) => ({ current: KeyRing.parse(textOf(...ids)) });

/** Says it is a node, with whatever proof it is given. */
async function impostor(t: Scope, id: string, proofFor: (target: string) => Promise<string | undefined>) {
  const asked: string[] = [];
  const port = await startHttpServer(t, async (request, response) => {
    asked.push(`${request.method} ${request.url?.split('?')[0]}`);
    const proof = await proofFor(request.url ?? '');
    const settings = { digest: '', text: '' };
    response.end(JSON.stringify({ id, incarnation: `of-${id}`, draining: false, settings, proof }));
  });
  return { id, port, asked };
}

t.test('a member enters a ring with keys when it has proven that it has one', async (t) => {
  const consul = await startConsul(t);
  const start = async (id: string, keys?: { current: KeyRing }): Promise<PinwheelNode> => {
    const membership = consulMembership({
      port: consul.port,
      service: 'chat',
      pauseMs: 20,
      ...(keys === undefined ? {} : { keys }),
    });
    const node = await createNode({ id, membership, ...(keys === undefined ? {} : { keys }) });
    t.teardown(async () => {
      await node.close();
      await membership.close();
    });
    return node;
  };
  const keys = keysOf('a', 'b');
  const n1 = await start('n1', keys);
  // one of the two is about to have its keys changed
  const n2 = await start('n2', keysOf('b', 'a'));
  await Promise.all([n1.ready(), n2.ready()]);

  await start('other-key', keysOf('c'));
  await start('no-key');
  const silent = await impostor(t, 'silent', () => new Promise(() => {}));
  const liars = [
    await impostor(t, 'says-nothing', async () => undefined),
    await impostor(t, 'makes-it-up', async () => `v1.a.${'A'.repeat(43)}`),
    // passes the question on to a good node, and its answer back
    await impostor(t, 'passes-on', async (target) => {
      const answer = await fetch(`http://127.0.0.1:${n1.port}${target}`);
      return ((await answer.json()) as { proof?: string }).proof;
    }),
    silent,
  ];
  for (const { id, port } of liars) {
    const Meta = { 'pinwheel-incarnation': `of-${id}` };
    await consul.register({ Name: 'chat', ID: id, Address: '127.0.0.1', Port: port, Meta });
  }
  await consul.register({ Name: 'chat', ID: 'foreign', Address: '127.0.0.1', Port: liars[0]!.port });

  const membership = consulMembership({ port: consul.port, service: 'chat', pauseMs: 20, keys });
  const tracker = createRingTracker({ membership });
  t.teardown(async () => {
    await tracker.close();
    await membership.close();
  });
  await tracker.start();
  t.same([...tracker.current.members.keys()], ['n1', 'n2'], 'from the first ring on');
  const reasons = (): Map<string, string> =>
    new Map(tracker.status().ignored.map(({ id, reason }) => [id, reason]));
  const rows: readonly (readonly [string, RegExp])[] = [
    ['other-key', /not one of this member, made with a key that is known here/],
    ['no-key', /was it given --keys\?/],
    ['says-nothing', /was it given --keys\?/],
    ['makes-it-up', /not one of this member/],
    ['passes-on', /not one of this member/],
    ['silent', /it has not proven that it has a key: http.*no answer within 500 ms/],
    ['foreign', /it is no Pinwheel node/],
  ];
  for (const [id, reason] of rows)
    await until(`${id} is left out`, () => reason.test(reasons().get(id) ?? ''));
  t.equal(tracker.status().frozen, undefined);

  const sender = createSender({ tracker, keys });
  t.teardown(() => sender.close());
  const users = Array.from({ length: 50 }, (_, i) => `user-${i}`);
  const receipts = await sender.sendMany(users, 'hello');
  t.ok(
    receipts.every(({ status }) => status === 'offline'),
    'good members do not notice',
  );
  for (const { id, asked } of liars) {
    t.same([...new Set(asked)], ['GET /healthz'], `${id} is asked for its proof, and gets nothing`);
  }
  t.same(
    [n1, n2].map((node) => node.tracker.current.ring.members.map(({ id }) => id)),
    [
      ['n1', 'n2'],
      ['n1', 'n2'],
    ],
  );

  const folder = mkdtempSync(join(tmpdir(), 'pinwheel-members-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, 'keys.json');
  writeFileSync(file, textOf('b', 'a'));
  chmodSync(file, 0o600);
  const show = ['ring', 'show', '--membership', consul.url('chat'), '--json', '--keys', file];
  const shown = async (...more: string[]): Promise<number> =>
    (JSON.parse((await runPinwheel([...show, ...more])).stdout) as { members: unknown[] }).members.length;
  t.same(await Promise.all([shown(), shown('--allow-unproven')]), [2, 2 + rows.length]);
});

t.test('a member whose key is taken out leaves the rings, and the others do not', async (t) => {
  const consul = await startConsul(t);
  const member = async (id: string, keys: { current: KeyRing }): Promise<void> => {
    const membership = consulMembership({ port: consul.port, service: 'chat', pauseMs: 20, keys });
    const node = await createNode({ id, membership, keys });
    t.teardown(async () => {
      await node.close();
      await membership.close();
    });
    await node.ready();
  };
  const followed = keysOf('a', 'b');
  await member('follows', followed);
  await member('had-b-first', keysOf('b', 'a'));
  await member('keeps-the-old-one', keysOf('a', 'b'));
  const ours = keysOf('a', 'b');
  const membership = consulMembership({ port: consul.port, service: 'chat', pauseMs: 20, keys: ours });
  const tracker = createRingTracker({ membership, vanishGraceMs: 100 });
  t.teardown(async () => {
    await tracker.close();
    await membership.close();
  });
  await tracker.start();
  const ring = (): readonly string[] => tracker.current.ring.members.map(({ id }) => id);
  await until('all are in', () => ring().length === 3);
  followed.current = keysOf('b').current;
  ours.current = keysOf('b').current;
  await until('one is out', () => ring().length < 3);
  t.same(ring(), ['follows', 'had-b-first']);
  t.match(tracker.status().ignored, [
    { id: 'keeps-the-old-one', reason: /made with a key that is known here/ },
  ]);
});

t.test('a node that has the keys of another service is alone, and not ready', async (t) => {
  const consul = await startConsul(t);
  const nodeOf = async (id: string, keys: { current: KeyRing }): Promise<PinwheelNode> => {
    const membership = consulMembership({ port: consul.port, service: 'chat', pauseMs: 20, keys });
    const node = await createNode({ id, membership, keys });
    t.teardown(async () => {
      await node.close();
      await membership.close();
    });
    return node;
  };
  const readiness = async ({ port }: PinwheelNode): Promise<unknown> => {
    const answer = await fetch(`http://127.0.0.1:${port}/readyz`);
    return [answer.status, ((await answer.json()) as { status: string }).status];
  };
  const first = await nodeOf('n1', keysOf('a'));
  await first.ready();
  t.same(await readiness(first), [200, 'ready'], 'one that has nobody to ignore');
  const other = await nodeOf('n2', keysOf('b'));
  await other.ready();
  const alone = 'alone in the ring: everybody else who is listed is ignored, such as n1: ';
  t.match(await readiness(other), [503, new RegExp(`^${alone}.*key`)]);
  const ignored = () => first.tracker.status().ignored.length;
  await until('it is ignored, too', () => ignored() === 1);
  t.same(await readiness(first), [200, 'ready'], 'whoever was ready is not concerned');
});

t.test('a member that stays silent is named in the log once, however often it is asked', async (t) => {
  const consul = await startConsul(t);
  const silent = await impostor(t, 'silent', () => new Promise(() => {}));
  const Meta = { 'pinwheel-incarnation': 'of-silent' };
  await consul.register({ Name: 'chat', ID: 'silent', Address: '127.0.0.1', Port: silent.port, Meta });
  const membership = consulMembership({ port: consul.port, service: 'chat', pauseMs: 20, keys: keysOf('a') });
  const lines: string[] = [];
  const write = (fields: object): number => lines.push(JSON.stringify(fields));
  const tracker = createRingTracker({ membership, log: { info: () => {}, warn: write, error: write } });
  t.teardown(async () => {
    await tracker.close();
    await membership.close();
  });
  await tracker.start();
  // the answer to the second question is known when a third one is asked
  await until('it was asked three times', () => silent.asked.length > 2);
  const { port } = silent;
  t.match(lines, [new RegExp(`http://127.0.0.1:${port}/healthz: no answer within 500 ms`)]);
  t.equal(lines.length, 1);
});
