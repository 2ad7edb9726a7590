import { writeFileSync } from 'node:fs';
import { freePort } from '@pinwheel/bench/load/free-ports.js';
import { createEdge } from '@pinwheel/edge';
import { staticMembership } from '@pinwheel/membership';
import { createNode } from '@pinwheel/node';
import t from 'tap';
import { runPinwheel } from '../../../test/kit/pinwheel-process.js';
import { until } from '../../../test/kit/until.js';
import { temporaryFiles } from './kit/files.js';

const file = temporaryFiles(t);

interface Entry {
  readonly id: string;
  readonly address: string;
  readonly port: number;
  readonly wsPort: number;
}

async function entry(id: string): Promise<Entry> {
  return { id, address: '127.0.0.1', port: await freePort(), wsPort: await freePort() };
}

t.test('half of the members vanish, and an operator has everybody accept it', async (t) => {
  const entries = await Promise.all(['n1', 'n2', 'n3', 'n4'].map(entry));
  const list = (members: readonly Entry[]): string => JSON.stringify({ members });
  const path = file('members.json', list(entries));
  const nodes = await Promise.all(
    entries.map(async ({ id, port, wsPort }) => {
      const membership = staticMembership(path, { pollMs: 50 });
      const node = await createNode({ id, port, wsPort, membership });
      t.teardown(async () => {
        await node.close();
        await membership.close();
      });
      return node;
    }),
  );
  const membership = staticMembership(path, { pollMs: 50 });
  const edge = await createEdge({ id: 'e1', membership, adminPort: 0 });
  t.teardown(async () => {
    await edge.close();
    await membership.close();
  });
  const admin = `http://127.0.0.1:${edge.adminPort}`;
  const all = [...nodes.map(({ port }) => `http://127.0.0.1:${port}`), admin];
  const isFrozen = async (url: string): Promise<boolean> =>
    (await (await fetch(`${url}/metrics`)).text()).includes('\npinwheel_ring_frozen 1\n');
  const sizeAt = async (url: string): Promise<number> => {
    const { members } = (await (await fetch(`${url}/v1/ring`)).json()) as { members: { state: string }[] };
    return members.filter(({ state }) => state === 'active').length;
  };
  for (const url of all) await until(`${url} has all members`, async () => (await sizeAt(url)) === 4);
  const write = async (members: readonly Entry[]): Promise<void> => {
    writeFileSync(path, list(members));
    for (const url of all) await until(`${url} is frozen`, () => isFrozen(url));
  };
  const run = async (...more: readonly string[]) => {
    const { code, stdout, stderr } = await runPinwheel([
      ...['ring', 'accept', '--membership', `static:${path}`, ...more],
    ]);
    return { code, stdout, stderr };
  };

  await write(entries.slice(0, 1));
  const { code, stdout, stderr } = await run('--edge', admin);
  t.equal(code, 0, stderr);
  const rows = stdout
    .trim()
    .split('\n')
    .map((line) => line.split(/\s+/));
  t.same(rows[0], ['process', 'ring', 'members']);
  const accepted = rows.slice(1);
  t.same(
    accepted.map(([id]) => id).sort(),
    [admin, 'n1', 'n2', 'n3', 'n4'].sort(),
    'those that are not listed, too',
  );
  t.equal(new Set(accepted.map(([, fingerprint]) => fingerprint)).size, 1);
  t.ok(accepted.every(([, , members]) => members === '1'));
  for (const url of all) t.same([await isFrozen(url), await sizeAt(url)], [false, 1]);

  await write([]);
  t.match(await run(), {
    code: 1,
    stderr: /nobody was asked: .* name the admin port of an edge with --edge/,
  });

  await write([await entry('dead')]);
  const failed = await run('--edge', admin, '--json');
  t.equal(failed.code, 1, failed.stderr);
  const { accepted: said } = JSON.parse(failed.stdout) as { accepted: { id: string; error?: string }[] };
  t.match(
    said.find(({ id }) => id === 'dead'),
    { error: /dead \(http:.*\) cannot be reached/ },
  );
  t.match(
    said.find(({ id }) => id === admin),
    { fingerprint: String, members: Number },
  );
  t.match((await run('--edge', admin)).stdout, /run this again when they can be reached, or restart them/);
});
