import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import type { RequestListener } from 'node:http';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { freePort } from '@pinwheel/bench/load/free-ports.js';
import t from 'tap';
import { startHttpServer } from '../../../test/kit/http-server.js';
import { runPinwheel, startPinwheel } from '../../../test/kit/pinwheel-process.js';
import { temporaryFiles } from './kit/files.js';
import { runAll } from './kit/run-all.js';
import type { UpFacts } from './kit/up-facts.js';

const file = temporaryFiles(t);

t.test('a shell starts the program with one worker thread and room for V8', async (t) => {
  const program = fileURLToPath(new URL('../bin/pinwheel.js', import.meta.url));
  const report = file(
    'report.cjs',
    "if (require('node:worker_threads').isMainThread) process.stderr.write(process.execArgv.join());",
  );
  const env = { ...process.env, NODE_OPTIONS: `--require ${report}` };
  const { stdout, stderr } = await promisify(execFile)(program, ['--version'], { env });
  t.equal(stderr, '--v8-pool-size=1,--initial-heap-size=64,--max-semi-space-size=4');
  t.match(stdout, /^\d+\.\d+\.\d+\n$/);
});

t.test('wrong usage ends with 2, as a process', async (t) => {
  t.match(await runPinwheel(['nonsense']), { code: 2, stderr: /unknown command 'nonsense'/, stdout: '' });
});

t.test('wrong usage ends with 2 and says what is wrong and what would be right', async (t) => {
  const config = file('config.json', '{"prot": 1}');
  const ringConfig = file('ring.json', '{"virtualNodes": 0}');
  const noApp = file('no-app.mjs', 'export const onMesage = 1;');
  const noExport = file('no-export.mjs', "import { nope } from 'node:fs';\nnope();\n");
  const wrong = (name: string): string =>
    file(name, 'const onMessage = ({ reply }) => {\n  reply(1 +);\n};\n');
  const members = `static:${file('members.json', '{"members":[]}')}`;
  const node = ['node', '--id', 'n1', '--membership', members];
  const edge = ['edge', '--id', 'e1', '--membership', members];
  const cases: readonly (readonly [readonly string[], RegExp])[] = [
    [['nonsense'], /unknown command 'nonsense'/],
    [['node', '--prot', '1'], /unknown option '--prot'[\s\S]*--port/],
    [['send', 'alice'], /missing required argument 'DATA'/],
    ...['a b', 'a\nb', 'é', 'x'.repeat(65)].flatMap((id) =>
      [
        ['--node', 'http://127.0.0.1:1'],
        ['--membership', members],
      ].map((to): [string[], RegExp] => [
        ['send', 'alice', 'x', '--id', id, ...to],
        /--id is ".+"; it must be 1 to 64 printable ASCII characters/,
      ]),
    ),
    [
      ['node', '--id', 'n1'],
      /membership is missing; give --membership, set PINWHEEL_MEMBERSHIP, or put membership .*, such as static:\/tmp\/pinwheel-8080.json, as pinwheel up prints it, or consul:\/\/127.0.0.1:8500\/chat\n/,
    ],
    [['node', '--id', 'a b', '--membership', members], /id is "a b"; it must be/],
    [[...node, '--port', '70000'], /--port is "70000"; it must be a whole number between 0 and 65535/],
    [[...node, '--port', '1.5'], /--port is "1.5"; it must be a whole number/],
    [[...node, '--weight', 'heavy'], /--weight is "heavy"; it must be a number between 0.01 and 100/],
    [[...node, '--config', config], /unknown option "prot"; known: /],
    [[...node, '--config', '/nowhere/missing.json'], /cannot read .*missing.json/],
    [[...node, '--ring-config', ringConfig], /virtualNodes is 0; it must be between 1 and 4096/],
    [
      [...node, '--app', wrong('module.mjs')],
      /module.mjs: Unexpected .*\n\n.*module.mjs:2\n +reply\(1 \+\);\n +\^/,
    ],
    [
      [...node, '--app', wrong('common.cjs')],
      /common.cjs: Unexpected .*\n\n.*common.cjs:2\n +reply\(1 \+\);\n +\^/,
    ],
    [
      [...node, '--app', noExport],
      /does not provide an export .*\n\n.*no-export.mjs:1\nimport \{ nope \}.*\n +\^/,
    ],
    [[...node, '--app', noApp], /must export at least one of: onConnect, onMessage, onSend, onDisconnect/],
    [
      [...node, '--webhook', 'ftp://x'],
      /--webhook is "ftp:\/\/x"; it must be a URL that begins with http:\/\/ or https:\/\//,
    ],
    [[...node, '--webhook', 'http://x', '--app', noApp], /app and webhook are both given/],
    [['ring', 'show', '--membership', 'zookeeper://x'], /it must be consul:\/\/host:port\/service/],
    [
      ['edge', '--id', 'e1', '--membership', members, '--host', '0.0.0.0', '--port', '0'],
      /allow-?anonymous/i,
    ],
    [
      [...node, '--messages-per-second', '-1'],
      /--messages-per-second is "-1"; it must be a whole number between 0 and 1000000000/,
    ],
    [[...node, '--max-rss-bytes', '80%'], /--max-rss-bytes is "80%"; it must be a whole number between/],
    [
      [...edge, '--max-connections', '0'],
      /--max-connections is "0"; it must be a whole number between 1 and/,
    ],
    [[...edge, '--head-timeout-ms', '0'], /--head-timeout-ms is "0"; it must be .* between 100 and 300000/],
    [
      [...edge, '--trusted-proxies', '10.0.0.0/99'],
      /--trusted-proxies has "10.0.0.0\/99"; each must be an address/,
    ],
    [
      ['listen', 'alice', '--edge', 'http://x'],
      /--edge is "http:\/\/x"; it must be a URL that begins with ws:\/\/ or wss:\/\//,
    ],
    [['send', '', 'x', '--membership', members], /user is empty; it must have 1 to 256 bytes/],
    [
      ['send', 'bob', 'x', '--wait', 'node', '--membership', members],
      /--wait is "node"; it must be one of: client/,
    ],
    [['send', 'bob', 'x', '--node', 'foo'], /--node is "foo"; it must be a URL that begins with http/],
    [
      [...node, '--strategy', 'gossip'],
      /--strategy is "gossip"; it must be one of: ring, broadcast, registry/,
    ],
    [[...node, '--strategy', 'broadcast'], /broadcast needs a queue: give --redis URL or --nats URL/],
    [
      ['send', 'bob', 'x', '--strategy', 'registry', '--nats', 'nats://127.0.0.1:4222'],
      /registry keeps its routes in a Redis: give --redis URL/,
    ],
    [[...node, '--redis', 'http://x'], /--redis is "http:\/\/x"; it must be a URL that begins with redis/],
    [
      [...node, '--queue-prefix', 'a b', '--redis', 'redis://127.0.0.1:1'],
      /prefix is "a b"; it must be 1 to 64/,
    ],
    [['bench', '--strategies', 'ring,gossip'], /strategies has "gossip"; known: ring, registry, broadcast/],
    [['bench', '--nodes', '3,x'], /--nodes has "x"; it must be whole numbers, separated by commas/],
    [['bench', '--nodes', '1'], /nodes is 1; it must be at least 2 for join, drain, kill/],
    [['bench', '--users', 'many'], /--users is "many"/],
    [['bench', '--phases', 'steady,rest'], /phases has "rest"; known: steady, saturation, join, drain, kill/],
    [['bench', '--html', '/nowhere/report.html'], /\/nowhere\/report.html cannot be written/],
    [['bench', 'model', '--nodes', '0'], /--nodes is 0; it must be a whole number between 1 and 100000/],
    [['bench', 'model', '--from', '/nowhere.json'], /--from is \/nowhere.json, which cannot be read/],
    [['bench', 'model', '--from', config], /bad|conditions/],
    [['ring', 'show', '--membership', 'static:/nowhere.json'], /there is no file \/nowhere.json/],
    [
      ['migrate', 'status', '--membership', members, '--edge', '127.0.0.1:8091'],
      /--edge is "127.0.0.1:8091"; it must/,
    ],
  ];
  const ran = await runAll(cases.map(([words]) => words));
  for (const [i, [words, says]] of cases.entries()) {
    const { code, stderr, stdout } = ran[i]!;
    t.equal(code, 2, `${words.join(' ')}: exit code`);
    t.match(stderr, says, `${words.join(' ')}: ${stderr.trim()}`);
    t.equal(stdout, '', 'nothing on stdout');
  }
});

t.test('a free port that is not allowed is not one that somebody has given', async (t) => {
  const members = `static:${file('members-ports.json', '{"members":[]}')}`;
  const [port, wsPort] = [await freePort(), await freePort()];
  const allowed = ['--allow-ports', String(port), '--log-level', 'silent'];
  const node = ['node', '--id', 'n1', '--membership', members, ...allowed];
  const taken = `and the free port that was taken, \\d+, is not allowed: it must be in ${port} \\(--allow-ports\\)`;
  const cases: readonly (readonly [readonly string[], RegExp])[] = [
    [[], new RegExp(`cannot register n1: no --port was given, ${taken}; give --port\n`)],
    [['--port', String(port)], new RegExp(`: no --ws-port was given, ${taken}; give --ws-port\n`)],
    [
      ['--port', String(wsPort)],
      new RegExp(`: port is ${wsPort}; it must be in ${port} \\(--allow-ports\\)\n`),
    ],
  ];
  const ran = await runAll(cases.map(([words]) => [...node, ...words]));
  for (const [i, [, says]] of cases.entries()) {
    t.equal(ran[i]!.code, 2);
    t.match(ran[i]!.stderr, says);
  }
});

t.test('a bench that does not begin leaves no empty file', async (t) => {
  const folder = dirname(file('beside.txt', ''));
  const made = join(folder, 'result.json');
  const { code } = await runPinwheel(['bench', '--json', made, '--strategies', 'gossip']);
  t.equal(code, 2);
  t.notOk(existsSync(made));
  const words = ['--json', made, '--html', '/nowhere/report.html'];
  t.equal((await runPinwheel(['bench', ...words])).code, 2);
  t.notOk(existsSync(made), 'nor when the other one cannot be written');
  const kept = file('kept.json', '');
  await runPinwheel(['bench', '--json', kept, '--strategies', 'gossip']);
  t.ok(existsSync(kept), 'what it has not made it does not remove');
});

t.test('JSON that the config file asks for is the form of errors, too', async (t) => {
  const config = file('json.json', '{"json":true}');
  const { code, stderr } = await runPinwheel(['send', 'alice', 'x', '--config', config, '--wait', 'node']);
  t.equal(code, 2);
  const later = await runPinwheel(['send', 'alice', 'x', '--config', config, '--node', 'http://127.0.0.1:1']);
  t.match(JSON.parse(later.stderr), { error: { code: 'unreachable' } });
  t.match(stderr, /--wait is "node"/);
  const bare = await runPinwheel(['ring'], { PINWHEEL_JSON: '1' });
  t.match(JSON.parse(bare.stderr), { error: { message: 'a command is missing; see pinwheel --help' } });
});

t.test('an answer that is not of Pinwheel is named, with who gave it', async (t) => {
  const answers = [
    [502, '<!DOCTYPE html>'],
    [200, ''],
    [200, 'null'],
    [404, '{"status":404,"error":"Not Found"}'],
  ] as const;
  for (const [status, body] of answers) {
    const port = await startHttpServer(t, (_request, response) => response.writeHead(status).end(body));
    const node = `http://127.0.0.1:${port}`;
    const { code, stderr, stdout } = await runPinwheel(['send', 'alice', 'x', '--node', node]);
    t.same([code, stdout], [1, ''], stderr);
    t.match(stderr, new RegExp(`${node} answered ${status}`));
  }
});

t.test('a message that a node may have taken is said to be in doubt', async (t) => {
  const answers: readonly (readonly [string, RequestListener, RegExp])[] = [
    ['breaks off', (_, response) => response.socket?.destroy(), /did not answer: /],
    ['does not answer', () => {}, /did not answer: .*timeout/],
    [
      'cuts its answer',
      (_, response) => {
        response.writeHead(200, { 'content-length': '100' }).write('{"user":"alice"');
        setImmediate(() => response.socket?.destroy());
      },
      /answered 200, cut/,
    ],
    ['is a proxy that has lost it', (_, response) => response.writeHead(502).end('<html>'), /answered 502/],
    [
      'is one that says so in JSON',
      (_, response) => response.writeHead(504).end('{"message":"upstream timed out"}'),
      /answered 504 without a receipt/,
    ],
  ];
  for (const [how, answer, why] of answers) {
    const node = `http://127.0.0.1:${await startHttpServer(t, answer)}`;
    const words = ['send', 'alice', 'x', '--json', '--deadline-ms', '200', '--node', node];
    const { code, stderr, stdout } = await runPinwheel(words);
    t.same([code, stdout], [1, ''], how);
    t.match(JSON.parse(stderr), { error: { code: 'unknown-outcome', message: why } }, how);
    t.match(stderr, /the message may have been delivered/, how);
  }
});

t.test('every command has a help that names its options and where else they come from', async (t) => {
  const names = ['up', 'node', 'edge', 'send', 'listen', 'ring show', 'ring plan', 'drain', 'migrate resume'];
  const ran = await runAll(names.map((name) => [...name.split(' '), '--help']));
  for (const [i, name] of names.entries()) {
    const { code, stdout } = ran[i]!;
    t.equal(code, 0, name);
    t.match(stdout, /--json .*[\s\S]*PINWHEEL_JSON/, name);
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

t.test('errors are JSON wherever that is asked for, and nothing else is said', async (t) => {
  for (const [words, env, message] of [
    [['ring', 'show', '--json'], {}, /membership is missing/],
    [['ring', 'show'], { PINWHEEL_JSON: '1' }, /membership is missing/],
    [['send', 'alice', '--json'], {}, /missing required argument 'DATA'/],
    [['node', '--nonsense', '--json'], {}, /unknown option '--nonsense'/],
    [['nonsense', '--json'], {}, /unknown command 'nonsense'/],
  ] as const) {
    const { code, stderr, stdout } = await runPinwheel(words, env);
    t.equal(code, 2, words.join(' '));
    t.match(JSON.parse(stderr), { error: { code: 'bad-option', message } });
    t.equal(stdout, '');
  }
});

t.test('a secret in a URL that is wrong is not repeated', async (t) => {
  const members = `static:${file('members-secret.json', '{"members":[]}')}`;
  const node = ['node', '--id', 'n1', '--membership', members];
  for (const env of [{ PINWHEEL_NATS: 'svc:s3cret@10.0.0.1:4222' }, { PINWHEEL_REDIS: 'http://:s3cret@h' }]) {
    const { code, stderr } = await runPinwheel(node, env);
    t.equal(code, 2);
    t.match(stderr, /must be a URL that begins with/);
    t.notOk(stderr.includes('s3cret'), stderr);
  }
});

t.test(
  'a list in a file with its own time, an empty PINWHEEL_CONFIG, and a reader that has enough',
  async (t) => {
    const members = `static:${file('members-polled.json', '{"members":[]}')}?poll-ms=200`;
    const { code, stdout, stderr } = await runPinwheel(['ring', 'show', '--membership', members], {
      PINWHEEL_CONFIG: '',
    });
    t.equal(code, 0, stderr);
    t.match(stdout, /the ring is empty/);
    const program = fileURLToPath(new URL('../bin/pinwheel.js', import.meta.url));
    const piped = `"${process.execPath}" "${program}" ring show --membership '${members}' | true; echo "\${PIPESTATUS[0]}"`;
    const shell = await promisify(execFile)('bash', ['-c', piped]);
    t.equal(shell.stdout.trim(), '0');
    t.equal(shell.stderr, '');
  },
);
