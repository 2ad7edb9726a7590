import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { promisify } from 'node:util';
import { freePort } from '@pinwheel/bench/load/free-ports.js';
import t from 'tap';
import { moduleWithFewDescriptors } from '../../../test/kit/few-descriptors.js';
import { startHttpServer } from '../../../test/kit/http-server.js';
import { pinwheelProgram, startPinwheel } from '../../../test/kit/pinwheel-process.js';
import { runNode } from '../../../test/kit/run-node.js';
import { until } from '../../../test/kit/until.js';
import { warmUp } from '../dist/process/warm-up.js';
import { temporaryFiles } from './kit/files.js';

const file = temporaryFiles(t);
const listening = '0A';

/** Of one process, sorted. */
function portsOf(pid: number): readonly number[] {
  const sockets = new Set<string>();
  for (const descriptor of readdirSync(`/proc/${pid}/fd`)) {
    try {
      const inode = /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${descriptor}`))?.[1];
      if (inode !== undefined) sockets.add(inode);
    } catch {
      // closed since
    }
  }
  const lines = ['tcp', 'tcp6'].flatMap((table) =>
    readFileSync(`/proc/${pid}/net/${table}`, 'utf8').trim().split('\n').slice(1),
  );
  return lines
    .map((line) => line.trim().split(/\s+/))
    .filter((words) => words[3] === listening && sockets.has(words[9]!))
    .map((words) => Number.parseInt(words[1]!.split(':')[1]!, 16))
    .sort((a, b) => a - b);
}

t.test(
  'a node and an edge that have warmed up have nothing open but what is theirs, and nobody',
  async (t) => {
    const [port, wsPort] = [await freePort(), await freePort()];
    const members = file(
      'members.json',
      JSON.stringify({ members: [{ id: 'n1', address: '127.0.0.1', port, wsPort }] }),
    );
    const membership = ['--membership', `static:${members}`, '--warm-up'];
    const ports = ['--port', String(port), '--ws-port', String(wsPort)];
    const [node, edge] = await Promise.all([
      startPinwheel(t, ['node', '--id', 'n1', ...ports, ...membership]),
      startPinwheel<{ readonly port: number }>(t, ['edge', '--id', 'e1', '--port', '0', ...membership]),
    ]);
    for (const { log } of [node, edge]) {
      const said = log()
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line))
        .find(({ msg }) => msg === 'warmed up');
      t.ok(said?.ms > 0, `in ${said?.ms} ms`);
      t.notMatch(log(), /warm-up-1/, 'those who played are not in its log');
    }
    t.same(
      portsOf(node.pid),
      [port, wsPort].sort((a, b) => a - b),
    );
    t.same(portsOf(edge.pid), [edge.facts.port]);
    const metrics = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
    t.match(metrics, /^pinwheel_node_sessions(\{.*\})? 0$/m);
    for (const { signal, exit } of [edge, node]) {
      signal('SIGTERM');
      t.equal(await exit, 0);
    }
  },
);

t.test('without descriptors enough it fails soon, and says what of it did', async (t) => {
  const module = new URL('../dist/process/warm-up.js', import.meta.url).href;
  const code = `const { warmUp } = await import('${module}');
    const say = (fields, words) => console.log(words, fields.error ?? '');
    await warmUp({ info: say, warn: say, error: say }, undefined, 60_000);`;
  const { stdout } = await promisify(execFile)(...moduleWithFewDescriptors(code), { timeout: 50_000 });
  t.match(stdout, /^the warm-up failed; the first users are slower a client does not connect/);
});

t.test('one that takes too long is given up, and leaves nothing open', async (t) => {
  const before = portsOf(process.pid);
  for (const deadlineMs of [1, 150, 400]) {
    const said: unknown[] = [];
    const log = {
      info: (_fields: object, words: string) => said.push(words),
      warn: ({ error }: { readonly error?: string }, words: string) => said.push(`${words}: ${error}`),
      error: (_fields: object, words: string) => said.push(words),
    };
    await warmUp(log, undefined, deadlineMs);
    t.same(said, [`the warm-up failed; the first users are slower: timed out after ${deadlineMs} ms`]);
    await until('what was still opened is closed', () =>
      portsOf(process.pid).every((port) => before.includes(port)),
    );
  }
});

t.test('a signal meanwhile ends it, and nothing is started behind it', async (t) => {
  let asked = 0;
  const consul = await startHttpServer(t, () => void asked++);
  const app = file('told.mjs', "console.error('read'); export const onMessage = () => {};");
  const words = ['node', '--id', 'n1', '--membership', `consul://127.0.0.1:${consul}/chat`, '--app', app];
  const child = runNode([pinwheelProgram, ...words, '--warm-up'], { timeout: 60_000 });
  let said = '';
  child.stderr.on('data', (bytes) => {
    said += bytes;
  });
  await until('the application is read, before the warm-up', () => said.includes('read'));
  child.kill('SIGTERM');
  t.same(await once(child, 'exit'), [0, null]);
  t.equal(asked, 0, 'nobody enters the membership');
  t.equal(said, 'read\n', 'and nothing has failed');
});
