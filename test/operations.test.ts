import { readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '@pinwheel/bench/load/free-ports.js';
import t, { type Test } from 'tap';
import { startConsul } from './kit/consul.js';
import { runPinwheel, startPinwheel } from './kit/pinwheel-process.js';
import { replaced } from './kit/replaced.js';
import { plainEnvironment, repository, startAsWritten } from './kit/started.js';
import { until } from './kit/until.js';

const operations = readFileSync(join(repository, 'docs', 'operations.md'), 'utf8');
const environment = plainEnvironment();

/** The blocks of a section, as they are written there. */
function blocksOf(heading: string): readonly string[] {
  const [, section = ''] = operations.split(new RegExp(`^#+ ${heading}\\n`, 'm'));
  const [own = ''] = section.split(/^#+ (?![^`]*^```$)/m);
  return [...own.matchAll(/^```\w+\n(.*?)^```$/gms)].map(([, text]) => text!);
}

/** Below the repository, where programs find the packages. */
async function folder(t: Test): Promise<string> {
  const made = await mkdtemp(join(repository, 'test', '.operations-'));
  t.teardown(() => rm(made, { recursive: true, force: true }));
  return made;
}

t.test('tokens on one machine: who has one comes in, and who has none is told why', async (t) => {
  const [program = '', commands = ''] = blocksOf('Try tokens on one machine');
  const at = await folder(t);
  const up = await startPinwheel<{ membership: string }>(t, [
    ...['up', '--nodes', '1', '--node-port', '0', '--port', String(await freePort()), '--admin-port', '0'],
  ]);
  const port = String(await freePort());
  const adapted = replaced(commands, {
    'static:/tmp/pinwheel-8080.json': up.facts.membership,
    '8090': port,
    'token.mjs': join(at, 'token.mjs'),
    'token.txt': join(at, 'token.txt'),
    'jwks.json': join(at, 'jwks.json'),
  });
  await writeFile(
    join(at, 'token.mjs'),
    program.replace("'jwks.json'", JSON.stringify(join(at, 'jwks.json'))),
  );
  const [make = '', edge = '', listen = ''] = adapted.trim().split('\n');
  const bash = (line: string) => startAsWritten(t, 'bash', ['-c', line], environment);
  const made = bash(make);
  t.equal(await made.exit, 0, made.output());
  const started = bash(edge);
  await until('the edge is up', () => /clients on port/.test(started.output()), { deadlineMs: 60_000 });
  const listening = bash(listen);
  await until('alice is connected', () => /connected/.test(listening.output()));
  const sent = await runPinwheel(['send', 'alice', 'hello', '--membership', up.facts.membership]);
  t.equal(sent.code, 0, sent.stderr);
  await until('she has it', () => /^hello$/m.test(listening.output()));
  const without = bash(listen.replace(/^PINWHEEL_TOKEN=\S+ \S+ /, ''));
  t.equal(await without.exit, 1);
  t.match(without.output(), /cannot-connect.*401/);
});

t.test('on several machines: the files, a node, an operator and a sender with keys', async (t) => {
  const [, files = '', commands = '', program = ''] = blocksOf('On several machines');
  const at = await folder(t);
  const consul = await startConsul(t);
  const etc = await mkdtemp(join(tmpdir(), 'pinwheel-etc-'));
  t.teardown(() => rm(etc, { recursive: true, force: true }));
  const [port, wsPort, adminPort] = await Promise.all([freePort(), freePort(), freePort()]).then((ports) =>
    ports.map(String),
  );
  const here = {
    '/etc/pinwheel': etc,
    '/opt/pinwheel/node_modules': join(repository, 'node_modules'),
    '/srv/chat/app.mjs': join(at, 'app.mjs'),
    '10.0.0.0/24': '127.0.0.0/8',
    '10.0.0.1': '127.0.0.1',
    '8500': String(consul.port),
    '7001': port!,
    '7101': wsPort!,
    '7201': adminPort!,
  };
  const bash = (text: string) => startAsWritten(t, 'bash', ['-c', replaced(text, here)], environment);
  const made = bash(`set -e\n${files}\nenv | grep ^PINWHEEL_`);
  t.equal(await made.exit, 0, made.output());
  for (const name of ['pinwheel.json', 'keys.json', 'api-keys.json']) {
    t.equal((await stat(join(etc, name))).mode & 0o777, 0o600, name);
  }
  t.equal(JSON.parse(await readFile(join(etc, 'keys.json'), 'utf8')).keys.length, 1);
  const said = Object.fromEntries(
    [...made.output().matchAll(/^(PINWHEEL_\w+)=(.*)$/gm)].map(([, a, b]) => [a, b]),
  );

  await writeFile(join(at, 'app.mjs'), 'export function onMessage() {}\n');
  const [node = ''] = commands.split('\n');
  const started = bash(`npx ${node}`);
  await until('the node is up', () => /API on port/.test(started.output()), { deadlineMs: 60_000 });
  const asked = await until('an operator is answered', async () => {
    const ran = await runPinwheel(['migrate', 'status'], said);
    return ran.code === 0 && ran;
  });
  t.match(asked.stdout, /n1/);
  const refused = await runPinwheel(['migrate', 'status'], { ...said, PINWHEEL_API_KEY: 'pwk_ops_x' });
  t.not(refused.code, 0, 'with another key nothing is answered');

  await writeFile(join(at, 'send.mjs'), replaced(program, here));
  const sent = startAsWritten(t, process.execPath, [join(at, 'send.mjs')], environment);
  t.equal(await sent.exit, 0, sent.output());
  t.match(sent.output(), /status: 'offline'/, 'the node takes the call of a sender with its keys');
});

t.test('a foreign backend is drained in Consul', async (t) => {
  const [command = ''] = blocksOf('Foreign backends');
  const consul = await startConsul(t);
  const register = command.replace('8500', String(consul.port));
  const rings = async (): Promise<string> => {
    const words = ['ring', 'show', '--json', '--membership', consul.url('backend')];
    return (await runPinwheel(words)).stdout;
  };
  const without = register.replace(/,"Meta":\{[^}]*\}/, '');
  t.not(without, register);
  for (const [line, drains] of [
    [without, false],
    [register, true],
  ] as const) {
    const ran = startAsWritten(t, 'bash', ['-c', line], environment);
    t.equal(await ran.exit, 0, ran.output());
    t.equal(/"state":"draining"/.test(await rings()), drains, line);
  }
});
