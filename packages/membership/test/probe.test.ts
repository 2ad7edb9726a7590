import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { freePort } from '@pinwheel/bench/load/free-ports.js';
import t from 'tap';
import { moduleWithFewDescriptors } from '../../../test/kit/few-descriptors.js';
import { startHttpServer } from '../../../test/kit/http-server.js';
import type { Member } from '../src/member/contract.js';
import { memberOf } from '../src/member/registration.js';
import { directProbe } from '../src/tracker/probe.js';
import { startHealthzNode } from './healthz-node.js';

const probe = directProbe({ timeoutMs: 5000, tries: 2 });
/** For those who do not answer. */
const hasty = directProbe({ timeoutMs: 200, tries: 2 });

t.test('a node', async (t) => {
  const node = await startHealthzNode(t, 'n1');
  const member = memberOf(node.registration, false);
  t.equal(await probe(member), 'alive');
  t.equal(await probe({ ...member, incarnation: 'another' }), 'replaced');
  t.equal(await probe({ ...member, id: 'n2' }), 'replaced');
  node.draining = true;
  t.equal(await probe(member), 'draining');
  node.mode = 'fails';
  t.equal(await probe(member), 'replaced');
  node.mode = 'hang';
  const from = performance.now();
  t.equal(await hasty(member), 'unreachable');
  const took = performance.now() - from;
  t.ok(took >= 390 && took < 5_000, `two tries of 200 ms took ${took} ms`);
  await node.kill();
  t.equal(await probe(member), 'unreachable');
  t.equal(await probe({ ...member, address: 'no-such-host.invalid' }), 'unreachable');
});

t.test('another server at the address of a node', async (t) => {
  let body = 'hello';
  const port = await startHttpServer(t, (_request, response) => response.end(body));
  const member: Member = {
    id: 'n1',
    address: '127.0.0.1',
    port,
    weight: 1,
    draining: false,
    kind: 'node',
  };
  t.equal(await probe(member), 'replaced');
  body = 'x'.repeat(1_000_000);
  t.equal(await probe(member), 'replaced');
  t.equal(await probe({ ...member, kind: 'foreign' }), 'alive');
  t.equal(await probe({ ...member, kind: 'foreign', port: await freePort() }), 'unreachable');
});

t.test('a process without a free descriptor knows nothing of anybody', async (t) => {
  const node = await startHealthzNode(t, 'n1');
  const members = ['node', 'foreign'].map((kind) => ({ ...memberOf(node.registration, false), kind }));
  const code = `
    import { openSync } from 'node:fs';
    import { directProbe } from ${JSON.stringify(new URL('../dist/tracker/probe.js', import.meta.url).href)};
    const probe = directProbe({ timeoutMs: 2000, tries: 2 });
    const members = ${JSON.stringify(members)};
    const before = await Promise.all(members.map(probe));
    try { for (;;) openSync('/dev/null'); } catch {}
    const after = await Promise.all(members.map(probe));
    process.stdout.write(JSON.stringify({ before, after }), () => process.exit());
  `;
  const { stdout } = await promisify(execFile)(...moduleWithFewDescriptors(code), { timeout: 30_000 });
  t.same(JSON.parse(stdout), { before: ['alive', 'alive'], after: ['unasked', 'unasked'] });
});
