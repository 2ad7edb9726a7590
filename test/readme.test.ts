import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort, freePortsInARow } from '@pinwheel/bench/load/free-ports.js';
import t, { type Test } from 'tap';
import { startConsul } from './kit/consul.js';
import { untapped } from './kit/untapped.js';
import { until } from './kit/until.js';

const root = fileURLToPath(new URL('..', import.meta.url));
const readme = readFileSync(join(root, 'README.md'), 'utf8');

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
  [/^npx pinwheel listen /, /connected/],
  [/^npx pinwheel node /, /node n\d: API on port/],
  [/^npx pinwheel edge /, /edge e\d: clients on port/],
];

/** Run by whoever runs this test, or replaced by an agent of the test's own. */
// what takes minutes is run by tests of its own: bench.test.ts
const notRunHere: readonly string[] = ['npm ci', 'npm test', 'npm run bench -- --quick', 'consul agent -dev'];

t.test('the README, block after block, as somebody would who follows it', async (t) => {
  const ports = await freePorts(['8080', '8081', '8090', '8091', '8092', '7001', '7002', '9001']);
  const firstNode = await freePortsInARow(3);
  const consul = await startConsul(t);
  const environment = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(TAP|TS_NODE|PINWHEEL|npm_)/.test(name)),
  ) as Record<string, string>;
  // what the README says of ports holds where nobody uses them
  const elsewhere = {
    PINWHEEL_PORT: ports.get('8080')!,
    PINWHEEL_ADMIN_PORT: ports.get('8081')!,
    PINWHEEL_NODE_PORT: String(firstNode),
  };
  const moved = new Map([...ports, ['8500', String(consul.port)], ['8101', String(firstNode)]]);
  // whole numbers and all at once: a free port may contain one of these, or be one
  const written = new RegExp(`\\b(?:${[...moved.keys()].join('|')})\\b`, 'g');
  const adapt = (line: string): string => {
    const adapted = line.replaceAll(written, (port) => moved.get(port)!);
    // the first edge is where the README says; here it is elsewhere
    return adapted.replace(/^npx pinwheel listen \w+$/, `$& --edge ws://127.0.0.1:${ports.get('8080')}/ws`);
  };
  const folder = join(root, 'test', '.readme');
  await mkdir(folder, { recursive: true });
  t.teardown(() => rm(folder, { recursive: true, force: true }));

  let ran = 0;
  for (const { language, text } of blocks) {
    if (language === 'sh') {
      for (const line of text.trim().split('\n')) {
        for (const command of line.split(' && ')) {
          if (notRunHere.includes(command)) continue;
          const ofStart = command === 'npm start' ? elsewhere : {};
          await runLine(t, adapt(command), environment, ofStart);
          ran++;
        }
      }
    } else {
      t.equal(language, 'js', `the language of a block: ${language}`);
      await runModule(t, folder, adapt(text), environment);
      ran++;
    }
  }
  t.ok(ran > 15, `${ran} commands and snippets were run`);
});

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
): Promise<void> {
  const exported = /^export (\w+)=(.*)$/.exec(command);
  if (exported !== null) {
    environment[exported[1]!] = exported[2]!;
    return;
  }
  const child = start(t, 'bash', ['-c', command], { ...environment, ...extra });
  const up = goesOn.find(([which]) => which.test(command))?.[1];
  if (up === undefined) {
    const code = await child.exit;
    t.equal(code, 0, `${command}: ${child.output()}`);
    if (/curl -H|pinwheel send /.test(command)) t.match(child.output(), /delivered/, command);
    return;
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
}

async function runModule(
  t: Test,
  folder: string,
  text: string,
  environment: Readonly<Record<string, string>>,
): Promise<void> {
  const named = /^\/\/ (\S+\.mjs)$/m.exec(text)?.[1];
  const file = join(folder, named ?? 'snippet.mjs');
  await writeFile(file, text);
  const child = start(t, process.execPath, [file], environment);
  const code = await child.exit;
  t.equal(code, 0, `a snippet of the README runs: ${text.split('\n')[0]} ${child.output()}`);
}

interface Started {
  readonly exit: Promise<number>;
  output(): string;
  ended(): boolean;
}

/** In a process group of its own, so that what it starts ends with it. */
function start(
  t: Test,
  program: string,
  words: readonly string[],
  environment: Readonly<Record<string, string>>,
): Started {
  const child: ChildProcess = spawn(...untapped(program, words), {
    cwd: root,
    env: environment,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  let ended = false;
  const add = (bytes: Buffer): void => {
    output += bytes.toString('utf8');
  };
  child.stdout!.on('data', add);
  child.stderr!.on('data', add);
  const exit = once(child, 'close').then(([code]) => {
    ended = true;
    return code as number;
  });
  t.teardown(async () => {
    if (!ended) process.kill(-child.pid!, 'SIGTERM');
    await exit;
  });
  return { exit, output: () => output, ended: () => ended };
}
