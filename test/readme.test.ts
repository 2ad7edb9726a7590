import { readFileSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { freePort, freePortsInARow } from '@pinwheel/bench/load/free-ports.js';
import t, { type Test } from 'tap';
import { startConsul } from './kit/consul.js';
import { replaced } from './kit/replaced.js';
import { plainEnvironment, repository, type Started, startAsWritten } from './kit/started.js';
import { until } from './kit/until.js';

const readme = readFileSync(join(repository, 'README.md'), 'utf8');

interface Block {
  readonly language: string;
  readonly text: string;
}

/** Every block of code of the README, in order. */
const blocks: readonly Block[] = [...readme.matchAll(/^```(\w+)\n(.*?)^```$/gms)].map(
  ([, language, text]) => {
    return { language: language!, text: text! };
  },
);

/** Commands that go on until they are stopped, and what they say when they are up. */
const goesOn: readonly (readonly [RegExp, RegExp])[] = [
  [/^npm start$/, /is up/],
  [/^npx pinwheel up /, /is up/],
  [/^npx pinwheel listen /, /connected/],
  [/^npx pinwheel node /, /node n\d: API on port/],
  [/^npx pinwheel edge /, /edge e\d: clients on port/],
];

/** Run by whoever runs this test, or replaced by an agent of the test's own. */
// what takes minutes is run by tests of its own: bench.test.ts
const notRunHere: readonly RegExp[] = [
  /^npm ci$/,
  /^npm test$/,
  /npm run bench -- --quick$/,
  /^consul agent -dev$/,
];

t.test('the README, block after block, as somebody would who follows it', async (t) => {
  const ports = await freePorts(['8080', '8081', '8090', '8091', '8092', '7001', '7002', '9001']);
  const firstNode = await freePortsInARow(3);
  const consul = await startConsul(t);
  const environment = plainEnvironment();
  // what the README says of ports holds where nobody uses them
  const elsewhere = {
    PINWHEEL_PORT: ports.get('8080')!,
    PINWHEEL_ADMIN_PORT: ports.get('8081')!,
    PINWHEEL_NODE_PORT: String(firstNode),
  };
  const moved = { ...Object.fromEntries(ports), '8500': `${consul.port}`, '8101': `${firstNode}` };
  const adapt = (line: string): string => {
    const adapted = replaced(line, moved).replace('--app app.mjs', '--app test/.readme/app.mjs');
    // the first edge is where the README says; here it is elsewhere
    return adapted.replace(/^npx pinwheel listen \w+$/, `$& --edge ws://127.0.0.1:${ports.get('8080')}/ws`);
  };
  const folder = join(repository, 'test', '.readme');
  await mkdir(folder, { recursive: true });
  t.teardown(() => rm(folder, { recursive: true, force: true }));

  const node = `http://127.0.0.1:${firstNode}`;
  const edge = `ws://127.0.0.1:${ports.get('8080')}/ws`;
  const running = new Map<string, Started>();
  let ran = 0;
  for (const { language, text } of blocks) {
    if (language === 'sh') {
      for (const line of text.trim().split('\n')) {
        for (const command of line.split(' && ')) {
          if (notRunHere.some((which) => which.test(command))) continue;
          const isUp = /^npx pinwheel up /.test(command);
          // on the same ports
          if (isUp) await running.get('npm start')!.stop();
          const ofStart = isUp || command === 'npm start' ? elsewhere : {};
          const child = await runLine(t, adapt(command), environment, ofStart);
          if (child !== undefined) running.set(command, child);
          ran++;
        }
      }
      if (text.includes('--app app.mjs')) await tryTheApplication(t, running, folder, edge, environment);
    } else {
      t.equal(language, 'js', `the language of a block: ${language}`);
      await runModule(t, folder, adapt(text), environment, node);
      ran++;
    }
  }
  t.ok(ran > 15, `${ran} commands and snippets were run`);
});

/** What the README says that happens when somebody types, and when the SDK sends. */
async function tryTheApplication(
  t: Test,
  running: ReadonlyMap<string, Started>,
  folder: string,
  edge: string,
  environment: Readonly<Record<string, string>>,
): Promise<void> {
  const [alice, bob] = ['alice', 'bob'].map((user) => running.get(`npx pinwheel listen ${user}`)!);
  t.match(readme, 'Type `bob hi` into alice');
  alice!.type('bob hi');
  await until('bob has it', () => /^alice: hi$/m.test(bob!.output()));
  await until('alice has the receipt', () => /^delivered$/m.test(alice!.output()));
  const sendTo = "await connection.sendTo('bob', 'hi')";
  t.match(readme, sendTo);
  const program = join(folder, 'send-to.mjs');
  const lines = [
    "import { connect } from '@pinwheel/client';",
    "import { WebSocket } from 'ws';",
    `const connection = connect('${edge}?user=alice', { webSocket: WebSocket });`,
    `console.log((${sendTo}).status);`,
    "console.log((await connection.sendTo('alice', 'hi')).error.code);",
    'await connection.close();',
  ];
  await writeFile(program, lines.join('\n'));
  const child = startAsWritten(t, process.execPath, [program], environment);
  t.equal(await child.exit, 0, child.output());
  t.equal(child.output(), 'delivered\nnot-allowed\n', 'what onSend lets pass is delivered, and nothing else');
  await until('bob has it', () => /^hi$/m.test(bob!.output()));
}

async function freePorts(named: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const ports = new Map<string, string>();
  for (const port of named) ports.set(port, String(await freePort()));
  return ports;
}

/** `export` changes the environment of the lines that follow; anything else must end with 0 or be up. */
async function runLine(
  t: Test,
  command: string,
  environment: Record<string, string>,
  extra: Readonly<Record<string, string>>,
): Promise<Started | undefined> {
  const exported = /^export (\w+)=(.*)$/.exec(command);
  if (exported !== null) {
    environment[exported[1]!] = exported[2]!;
    return undefined;
  }
  const child = startAsWritten(t, 'bash', ['-c', command], { ...environment, ...extra });
  const up = goesOn.find(([which]) => which.test(command))?.[1];
  if (up === undefined) {
    const code = await child.exit;
    t.equal(code, 0, `${command}: ${child.output()}`);
    if (/curl -H|pinwheel send /.test(command)) t.match(child.output(), /delivered/, command);
    return undefined;
  }
  await until(
    `${command} is up`,
    () => {
      if (child.ended()) throw new Error(child.output());
      return up.test(child.output());
    },
    { deadlineMs: 60_000 },
  );
  t.pass(command);
  return child;
}

/** @param node where is sent to, for a snippet that waits for a message. */
async function runModule(
  t: Test,
  folder: string,
  text: string,
  environment: Readonly<Record<string, string>>,
  node: string,
): Promise<void> {
  const named = /^\/\/ (\S+\.mjs)$/m.exec(text)?.[1];
  const file = join(folder, named ?? 'snippet.mjs');
  await writeFile(file, text);
  const child = startAsWritten(t, process.execPath, [file], environment);
  if (named === 'client.mjs') {
    await until('the client is connected', () => /^connected$/m.test(child.output()));
    const message = { method: 'POST', headers: { 'content-type': 'text/plain' }, body: 'once more' };
    await fetch(`${node}/v1/users/alice/messages`, message);
  }
  const code = await child.exit;
  t.equal(code, 0, `a snippet of the README runs: ${text.split('\n')[0]} ${child.output()}`);
  if (named === 'client.mjs') t.match(child.output(), /^connected\nonce more\nclosed$/m);
}
