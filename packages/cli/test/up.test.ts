import { once } from 'node:events';
import { existsSync, readFileSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort } from '@pinwheel/bench/load/free-ports.js';
import t from 'tap';
import { WebSocket } from 'ws';
import { runPinwheel, startPinwheel } from '../../../test/kit/pinwheel-process.js';
import { PlainClient } from '../../../test/kit/plain-client.js';
import { runNode } from '../../../test/kit/run-node.js';
import { SdkClient } from '../../../test/kit/sdk-client.js';
import { until } from '../../../test/kit/until.js';
import { temporaryFiles } from './kit/files.js';
import type { UpFacts } from './kit/up-facts.js';

const file = temporaryFiles(t);

t.test('the terminal closes: the ring ends, and the file that named its members is gone', async (t) => {
  const words = ['up', '--port', '0', '--admin-port', '0', '--node-port', '0', '--nodes', '1'];
  const up = await startPinwheel<UpFacts>(t, words);
  const named = up.facts.membership.replace('static:', '');
  t.ok(existsSync(named));
  up.signal('SIGHUP');
  t.equal(await up.exit, 0);
  t.notOk(existsSync(named));
});

t.test('what lies where the file of members is written is not written through', async (t) => {
  const folder = dirname(file('untouched', 'mine'));
  const port = await freePort();
  const fresh = join(folder, `pinwheel-${port}.json.new`);
  symlinkSync(join(folder, 'untouched'), fresh);
  const words = ['up', '--port', String(port), '--admin-port', '0', '--node-port', '0', '--nodes', '1'];
  const up = await startPinwheel<UpFacts>(t, words, { TMPDIR: folder });
  t.equal(readFileSync(join(folder, 'untouched'), 'utf8'), 'mine');
  t.notOk(existsSync(fresh));
  up.signal('SIGTERM');
  t.equal(await up.exit, 0);
});

t.test('a ring on this machine', async (t) => {
  const app = file('app.mjs', "export const onMessage = ({ data, reply }) => reply('echo ' + data);");
  const words = ['up', '--port', '0', '--admin-port', '0', '--node-port', '0', '--edges', '2', '--app', app];
  const up = await startPinwheel<UpFacts>(t, words);
  const environment = { PINWHEEL_MEMBERSHIP: up.facts.membership };
  const json = async (...command: readonly string[]) => {
    const { code, stdout, stderr } = await runPinwheel([...command, '--json'], environment);
    return { code, said: stdout === '' ? stderr : JSON.parse(stdout) };
  };
  const edge = up.facts.edges[1]!.url.replace('/ws', '');
  const alice = new PlainClient(t, 'alice', edge);
  await until('alice is connected', () => alice.isConnected);

  await t.test('send says what became of the message, in words, in JSON and in the exit code', async (t) => {
    t.same(await json('send', 'alice', 'one'), {
      code: 0,
      said: { user: 'alice', status: 'delivered', sessions: 1 },
    });
    t.same(await json('send', 'nobody', 'x'), { code: 4, said: { user: 'nobody', status: 'offline' } });
    const node = up.facts.nodes[0]!.url;
    t.match(await json('send', 'alice', 'two', '--node', node), {
      code: 0,
      said: { user: 'alice', status: 'delivered', sessions: 1, stream: String, seq: 2 },
    });
    // it ends with its receipt, and not when its time is over: by then it would have been killed
    const text = await runPinwheel(['send', 'alice', 'three', '--deadline-ms', '60000'], environment, 30_000);
    t.match(text, { code: 0, stdout: 'delivered to 1 session of alice\n' });
    await until('all three have come', () => alice.received.length === 3);
    t.same(alice.received, ['one', 'two', 'three']);
    const { code, stderr } = await runPinwheel(['send', 'x'.repeat(257), 'y'], environment);
    t.equal(code, 2);
    t.match(stderr, /user has 257 bytes; it must have 1 to 256/);
  });

  await t.test('send waits for clients that acknowledge, and says when none does', async (t) => {
    const url = edge.replace('http', 'ws');
    const ben = new SdkClient(t, 'ben', () => url);
    await until('ben is connected', () => ben.isConnected);
    const acknowledged = {
      code: 0,
      said: { user: 'ben', status: 'delivered', sessions: 1, stream: String, seq: 1 },
    };
    t.match(await json('send', 'ben', 'one', '--wait', 'client'), acknowledged);
    const node = up.facts.nodes[0]!.url;
    const text = await runPinwheel(['send', 'ben', 'two', '--wait', 'client', '--node', node], environment);
    t.equal(text.stdout, 'acknowledged by 1 session of ben\n');
    t.same(ben.received, ['one', 'two']);

    const plain = await json('send', 'alice', 'plain', '--wait', 'client');
    t.match(plain, { code: 1, said: { status: 'overloaded', error: { code: 'unknown-outcome' } } });
    await until('it has come all the same', () => alice.received.includes('plain'));

    const silent = new WebSocket(`${url}/ws?user=silent`, 'pinwheel.v1');
    t.teardown(() => silent.terminate());
    await once(silent, 'open');
    silent.send(JSON.stringify({ type: 'hello', session: 'a-session-that-is-silent', epoch: 1 }));
    await once(silent, 'message');
    const words = ['send', 'silent', 'x', '--wait', 'client', '--deadline-ms', '4000'];
    t.match(await json(...words), { code: 3, said: { status: 'queued', seq: 1 } });
    t.match(await json(...words, '--node', node), { code: 3, said: { status: 'queued', seq: 2 } });
    silent.terminate();
    await until('it is away', async () => (await json('send', 'silent', 'x')).said.status === 'queued');
    t.match(await json('send', 'silent', 'x'), { code: 3 });
  });

  await t.test('what a client sends goes to the application', async (t) => {
    alice.send('hi');
    await until('the echo comes', () => alice.received.includes('echo hi'));
    t.pass('it came');
  });

  await t.test('ring show, owner and plan', async (t) => {
    const { said: ring } = await json('ring', 'show');
    t.same(
      ring.members.map(({ id, state }: { id: string; state: string }) => `${id} ${state}`),
      ['n1 active', 'n2 active', 'n3 active'],
    );
    const { said } = await json('ring', 'owner', 'alice', '__proto__');
    t.equal(said.fingerprint, ring.fingerprint);
    t.match(said.owners, [
      { user: 'alice', owner: /^n\d$/ },
      { user: '__proto__', owner: /^n\d$/ },
    ]);
    const { said: planned } = await json('ring', 'plan', '--remove', said.owners[0].owner);
    t.equal(
      planned.users.reduce((sum: number, { moving }: { moving: number }) => sum + moving, 0),
      1,
      'alice would move',
    );
    t.equal((await json('ring', 'plan', '--remove', 'n9')).code, 2);
    t.equal((await json('ring', 'plan')).code, 2);
  });

  await t.test('moves are paused, drained into, and resumed', async (t) => {
    const { said } = await json('ring', 'owner', 'alice');
    const holder = said.owners[0].owner as string;
    t.same(
      (await json('migrate', 'pause')).said.migrations.map(({ paused }: { paused: boolean }) => paused),
      [true, true, true],
    );
    const draining = json('drain', holder);
    await until('alice waits to be moved', async () => {
      const { said: status } = await json('migrate', 'status', '--edge', up.facts.edges[0]!.admin);
      return status.migrations.find(({ id }: { id: string }) => id === holder)?.waiting === 1;
    });
    t.equal(alice.closes.length, 0, 'she is still there');
    const still = await json('migrate', 'wait', '--timeout-ms', '500');
    t.equal(still.code, 1);
    t.match(still.said, new RegExp(`users have to move at ${holder} \\(1\\), where moves are paused`));
    t.equal((await json('send', 'alice', 'while she waits')).said.status, 'delivered');
    t.equal((await json('migrate', 'resume', '--users-per-second', '1000')).code, 0);
    t.match(await draining, { code: 0, said: { node: holder, users: 1, moved: 1 } });
    t.same(alice.closes, [], 'she has noticed nothing');
    const waited = await json('migrate', 'wait', '--edge', up.facts.edges[0]!.admin);
    t.equal(waited.code, 0, waited.said);
    t.equal((await json('drain', 'n9')).code, 2);
    t.equal((await json('send', 'alice', 'again')).said.status, 'delivered');
  });

  await t.test(
    'listen prints what arrives, sends the lines it is given, and gives up when it is refused for good',
    async (t) => {
      const url = up.facts.edges[0]!.url;
      const program = fileURLToPath(new URL('../bin/pinwheel.js', import.meta.url));
      const words = [program, 'listen', 'lena', '--edge', url];
      const child = runNode(words);
      t.teardown(() => child.kill('SIGKILL'));
      let output = '';
      child.stdout.on('data', (bytes) => {
        output += bytes;
      });
      // before it is connected, and cut in the middle of a line
      child.stdin.write('one\ntw');
      child.stdin.write('o\n');
      await until('both lines were echoed', () => output === 'echo one\necho two\n');
      child.kill('SIGINT');
      const [code] = await once(child, 'exit');
      t.equal(code, 0);
      const refused = await runPinwheel(['listen', 'lena', '--edge', url.replace('/ws', '/nowhere')]);
      t.equal(refused.code, 1);
      t.match(refused.stderr, /cannot-connect.*404/);
    },
  );

  await t.test('a port in use is named, and nothing is left running', async (t) => {
    const taken = new URL(up.facts.edges[0]!.url).port;
    const { code, stderr } = await runPinwheel([
      'up',
      '--port',
      taken,
      '--admin-port',
      '0',
      '--node-port',
      '0',
    ]);
    t.equal(code, 1);
    t.match(stderr, new RegExp(`listen on 127.0.0.1 port ${taken} \\(--port\\): `));
    t.match(stderr, /; a second ring on this machine: npx pinwheel up --port 8090 /);
    const ofNode = new URL(up.facts.nodes[0]!.url).port;
    const ofAdmin = new URL(up.facts.edges[0]!.admin).port;
    const free = ['up', '--port', '0', '--nodes', '1'];
    for (const [flag, more, busy] of [
      ['--node-port', ['--admin-port', '0'], ofNode],
      ['--admin-port', ['--node-port', '0'], ofAdmin],
    ] as const) {
      const refused = await runPinwheel([...free, ...more, flag, busy]);
      t.match(refused.stderr, new RegExp(`listen on 127.0.0.1 port ${busy} \\(${flag}\\): `));
    }
  });

  await t.test('Ctrl-C drains and ends with 0', async (t) => {
    up.signal('SIGINT');
    t.equal(await up.exit, 0);
    await until('alice is told', () => alice.closes.at(-1)?.code === 4000);
    t.pass('she was');
  });
});
