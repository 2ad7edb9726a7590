import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { freePort } from '../../../test/kit/free-port.js';
import { runPinwheel, startPinwheel } from '../../../test/kit/pinwheel-process.js';
import { PlainClient } from '../../../test/kit/plain-client.js';
import { until } from '../../../test/kit/until.js';

interface UpFacts {
  readonly membership: string;
  readonly edges: readonly { readonly id: string; readonly url: string; readonly admin: string }[];
  readonly nodes: readonly { readonly id: string; readonly url: string; readonly ws: string }[];
}

const folder = mkdtempSync(join(tmpdir(), 'pinwheel-cli-'));
t.teardown(() => rmSync(folder, { recursive: true, force: true }));
const file = (name: string, text: string): string => {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
};

t.test('wrong usage ends with 2 and says what is wrong and what would be right', async (t) => {
  const config = file('config.json', '{"prot": 1}');
  const ringConfig = file('ring.json', '{"virtualNodes": 0}');
  const noApp = file('no-app.mjs', 'export const onMesage = 1;');
  const members = `static:${file('members.json', '{"members":[]}')}`;
  const node = ['node', '--id', 'n1', '--membership', members];
  const cases: readonly (readonly [readonly string[], RegExp])[] = [
    [['nonsense'], /unknown command 'nonsense'/],
    [['node', '--prot', '1'], /unknown option '--prot'[\s\S]*--port/],
    [['send', 'alice'], /missing required argument 'DATA'/],
    [
      ['node', '--id', 'n1'],
      /membership is missing; give --membership, set PINWHEEL_MEMBERSHIP, or put membership/,
    ],
    [['node', '--id', 'a b', '--membership', members], /id is "a b"; it must be/],
    [[...node, '--port', '70000'], /--port is "70000"; it must be a whole number between 0 and 65535/],
    [[...node, '--port', '1.5'], /--port is "1.5"; it must be a whole number/],
    [[...node, '--weight', 'heavy'], /--weight is "heavy"; it must be a number between 0.01 and 100/],
    [[...node, '--config', config], /unknown option "prot"; known: /],
    [[...node, '--config', join(folder, 'missing.json')], /cannot read .*missing.json/],
    [[...node, '--ring-config', ringConfig], /virtualNodes is 0; it must be between 1 and 4096/],
    [[...node, '--app', noApp], /must export at least one of: onConnect, onMessage, onDisconnect/],
    [[...node, '--webhook', 'ftp://x'], /webhook is "ftp:\/\/x"; it must be an http: or https: URL/],
    [[...node, '--webhook', 'http://x', '--app', noApp], /app and webhook are both given/],
    [['ring', 'show', '--membership', 'zookeeper://x'], /it must be consul:\/\/host:port\/service/],
    [
      ['edge', '--id', 'e1', '--membership', members, '--host', '0.0.0.0', '--port', '0'],
      /allow-?anonymous/i,
    ],
    [['listen', 'alice', '--edge', 'http://x'], /edge is "http:\/\/x"; it must be a ws: or wss: URL/],
  ];
  for (const [words, says] of cases) {
    const { code, stderr, stdout } = await runPinwheel(words);
    t.equal(code, 2, `${words.join(' ')}: exit code`);
    t.match(stderr, says, `${words.join(' ')}: ${stderr.trim()}`);
    t.equal(stdout, '', 'nothing on stdout');
  }
});

t.test('every command has a help that names its options and where else they come from', async (t) => {
  for (const words of [
    ['up'],
    ['node'],
    ['edge'],
    ['send'],
    ['ring', 'show'],
    ['ring', 'plan'],
    ['drain'],
    ['migrate', 'resume'],
  ]) {
    const { code, stdout } = await runPinwheel([...words, '--help']);
    t.equal(code, 0);
    t.match(stdout, /--json .*[\s\S]*PINWHEEL_JSON/, words.join(' '));
  }
});

t.test('a value comes from the flag, else the environment, else the config file', async (t) => {
  const [byFlag, byEnvironment, byFile] = [await freePort(), await freePort(), await freePort()];
  const config = file(
    'precedence.json',
    JSON.stringify({ port: byFile, adminPort: 0, nodePort: 0, nodes: 1, logLevel: 'error' }),
  );
  const portOf = async (words: readonly string[], environment: Record<string, string>): Promise<string> => {
    const up = await startPinwheel<UpFacts>(t, ['up', '--config', config, ...words], environment);
    up.signal('SIGTERM');
    t.equal(await up.exit, 0);
    return new URL(up.facts.edges[0]!.url).port;
  };
  t.equal(await portOf(['--port', String(byFlag)], { PINWHEEL_PORT: String(byEnvironment) }), String(byFlag));
  t.equal(await portOf([], { PINWHEEL_PORT: String(byEnvironment) }), String(byEnvironment));
  t.equal(await portOf([], {}), String(byFile));
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
    t.same(await json('send', 'alice', 'two', '--node', node), {
      code: 0,
      said: { user: 'alice', status: 'delivered', sessions: 1 },
    });
    const text = await runPinwheel(['send', 'alice', 'three'], environment);
    t.equal(text.stdout, 'delivered to 1 session of alice\n');
    await until('all three have come', () => alice.received.length === 3);
    t.same(alice.received, ['one', 'two', 'three']);
    const { code, stderr } = await runPinwheel(['send', 'x'.repeat(257), 'y'], environment);
    t.equal(code, 1);
    t.match(stderr, /user has 257 bytes; it must have 1 to 256/);
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
    t.equal((await json('send', 'alice', 'while she waits')).said.status, 'delivered');
    t.equal((await json('migrate', 'resume', '--users-per-second', '1000')).code, 0);
    t.match(await draining, { code: 0, said: { node: holder, users: 1 } });
    t.match(alice.closes, [{ code: 4000, reason: /retryAfterMs/ }]);
    t.equal((await json('drain', 'n9')).code, 2);
    await until('alice is back', () => alice.isConnected);
    t.equal((await json('send', 'alice', 'again')).said.status, 'delivered');
  });

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
    t.match(stderr, new RegExp(`listen on 127.0.0.1 port ${taken}`));
  });

  await t.test('Ctrl-C drains and ends with 0', async (t) => {
    up.signal('SIGINT');
    t.equal(await up.exit, 0);
    await until('alice is told', () => alice.closes.at(-1)?.code === 4000);
    t.pass('she was');
  });
});

t.test('nodes from a static file: a stranger is refused, other settings are named', async (t) => {
  const [port, wsPort, other] = [await freePort(), await freePort(), await freePort()];
  const member = (id: string, at: number) => ({
    id,
    address: '127.0.0.1',
    port: at,
    wsPort: at === port ? wsPort : undefined,
  });
  const members = `static:${file('three.json', JSON.stringify({ members: [member('n1', port), member('n2', other)] }))}`;
  const stranger = await runPinwheel(['node', '--id', 'n3', '--membership', members]);
  t.equal(stranger.code === 0, false);
  t.match(stranger.stderr, /n3/);
  await startPinwheel(t, [
    'node',
    '--id',
    'n1',
    '--port',
    String(port),
    '--ws-port',
    String(wsPort),
    '--membership',
    members,
  ]);
  const settings = file('other-ring.json', '{"virtualNodes":256}');
  const differing = await runPinwheel([
    'node',
    '--id',
    'n2',
    '--port',
    String(other),
    '--membership',
    members,
    '--ring-config',
    settings,
  ]);
  t.equal(differing.code, 1);
  t.match(differing.stderr, /virtualNodes is 256 here and 512 at/);
});
