import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inProcessMembership } from '@pinwheel/membership';
import { createNode } from '@pinwheel/node';
import t from 'tap';
import { until } from '../../../test/kit/until.js';
import { ProbedMembers } from '../src/run/probed-members.js';

t.test('a member is in when it answers, and out when it does not; nobody has to say so', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'pinwheel-test-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  const membership = inProcessMembership();
  const nodes = await Promise.all(['n1', 'n2'].map((id) => createNode({ id, membership })));
  t.teardown(() => Promise.all(nodes.map((node) => node.close())));
  const [n1, n2] = nodes.map(({ id, port }) => ({ id, address: '127.0.0.1', port }));
  const members = new ProbedMembers(folder);
  t.teardown(() => members.stop());
  const idsIn = async (path: string): Promise<readonly string[]> =>
    JSON.parse(await readFile(path, 'utf8')).members.map(({ id }: { id: string }) => id);

  await members.begin([n1!]);
  t.same(await idsIn(members.path), ['n1'], 'the first ones are in at once');

  // somebody else's server is no node
  const other = createServer((_, response) => response.end('hello')).listen(0, '127.0.0.1');
  t.teardown(() => other.close());
  await new Promise((resolve) => other.once('listening', resolve));
  const { port } = other.address() as AddressInfo;
  await members.expect({ id: 'x', address: '127.0.0.1', port });
  await members.expect(n2!);
  t.same(await idsIn(members.pathFor('n2')), ['n1', 'n2'], 'it sees itself before the others do');
  await until('n2 is in for everybody', async () => (await idsIn(members.path)).includes('n2'));
  t.same(await idsIn(members.path), ['n1', 'n2']);

  await nodes[0]!.close();
  await until('n1 is out', async () => !(await idsIn(members.path)).includes('n1'));
  t.same(members.ids, ['n2']);
});
