import { chmodSync } from 'node:fs';
import { consulMembership } from '@pinwheel/membership';
import { createNode } from '@pinwheel/node';
import { KeyRing } from '@pinwheel/trust';
import t from 'tap';
import { startConsul } from '../../../test/kit/consul.js';
import { runPinwheel } from '../../../test/kit/pinwheel-process.js';
import { temporaryFiles } from './kit/files.js';
import { runAll } from './kit/run-all.js';

const file = temporaryFiles(t);

const member = (id: string, port: number) => ({ id, address: '127.0.0.1', port, wsPort: port });

function membership(name: string, ...members: object[]): readonly string[] {
  return ['--membership', `static:${file(name, JSON.stringify({ members }))}`];
}

t.test('members are listed and none of them is taken: every command says which, and why', async (t) => {
  const reason = 'port is 9; it must be in 7001 (--allow-ports)';
  const service = [...membership('three.json', member('n1', 9), member('n2', 9), member('n3', 10))];
  const only = [...service, '--allow-ports', '7001'];
  const says = `the ring is empty: 3 members are listed and ignored: n1, n2: ${reason}; n3: port is 10; `;
  const lines = [
    ['ring', 'show'],
    ['ring', 'owner', 'alice'],
    ['ring', 'plan', '--add', 'n4'],
    ['ring', 'accept'],
    ['send', 'alice', 'x', '--deadline-ms', '100'],
    ['migrate', 'status'],
    ['drain', 'n1'],
  ];
  const ran = await runAll(lines.map((words) => [...words, ...only]));
  for (const [i, words] of lines.entries()) {
    const { code, stdout, stderr } = ran[i]!;
    t.equal(code, 1, `${words.join(' ')}: ${stderr}`);
    t.ok((stdout + stderr).includes(says), `${words.join(' ')}: ${stdout}${stderr}`);
  }
  const [shown, status, sent] = await runAll(
    [['ring', 'show'], ['migrate', 'status'], lines[4]!].map((words) => [...words, ...only, '--json']),
  );
  t.match(JSON.parse(shown!.stdout), {
    members: [],
    ignored: [{ id: 'n1', reason }, { id: 'n2', reason }, { id: 'n3' }],
  });
  t.ok(JSON.parse(status!.stderr).error.message.includes(says));
  t.ok(JSON.parse(sent!.stdout).error.message.includes(says));
});

t.test('one of several members is ignored', async (t) => {
  const only = [...membership('two.json', member('n1', 9), member('n2', 7001)), '--allow-ports', '7001'];
  const says = '1 member is listed and ignored: n1: port is 9; it must be in 7001 (--allow-ports)';
  const [shown, status, drained] = await runAll([
    ['ring', 'show', ...only],
    ['migrate', 'status', ...only],
    ['drain', 'n1', ...only],
  ]);
  t.equal(shown!.code, 0);
  t.match(shown!.stdout, /^n2 /m);
  t.ok(shown!.stdout.includes(says), shown!.stdout);
  t.equal(status!.code, 1, 'not everybody was asked');
  t.ok(status!.stdout.includes(says), status!.stdout);
  t.equal(drained!.code, 2);
  t.ok(drained!.stderr.includes(`there is no node n1; nodes: n2; ${says}`), drained!.stderr);
});

t.test('a key that is another than that of the service', async (t) => {
  const consul = await startConsul(t);
  const textOf = (secret: string) => JSON.stringify({ keys: [{ id: 'k1', secret: secret.repeat(32) }] });
  const keys = { current: KeyRing.parse(textOf('a')) };
  const source = consulMembership({ port: consul.port, service: 'chat', keys });
  const node = await createNode({ id: 'n1', membership: source, keys });
  t.teardown(async () => {
    await node.close();
    await source.close();
  });
  await node.ready();
  const others = file('others.json', textOf('b'));
  chmodSync(others, 0o600);
  const service = ['--membership', `consul://127.0.0.1:${consul.port}/chat`, '--keys', others];
  const { code, stdout } = await runPinwheel(['ring', 'show', ...service]);
  t.equal(code, 1);
  t.match(
    stdout,
    /the ring is empty: 1 member is listed and ignored: n1: its proof that it has a key is not/,
  );
});
