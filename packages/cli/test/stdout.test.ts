import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { freePort } from '@pinwheel/bench/load/free-ports.js';
import t, { type Test } from 'tap';
import { startHttpServer } from '../../../test/kit/http-server.js';
import { pinwheelProgram } from '../../../test/kit/pinwheel-process.js';
import { untapped } from '../../../test/kit/untapped.js';
import { until } from '../../../test/kit/until.js';
import { temporaryFiles } from './kit/files.js';

const file = temporaryFiles(t);

/** Runs `pinwheel … <behind>` in a shell, `behind` being a redirection or a pipe: its own exit code, and what it says. */
function inShell(words: string, behind: string): Promise<{ readonly code: string; readonly stderr: string }> {
  const line = `"${process.execPath}" "${pinwheelProgram}" ${words} ${behind}; echo "\${PIPESTATUS[0]}"`;
  return new Promise((resolve) => {
    execFile(...untapped('bash', ['-c', line]), (_error, stdout, stderr) => {
      resolve({ code: stdout.trim(), stderr });
    });
  });
}

async function nodeThatSays(t: Test, receipt: object): Promise<string> {
  const port = await startHttpServer(t, (_, response) => response.end(JSON.stringify(receipt)));
  return `http://127.0.0.1:${port}`;
}

t.test('a result that a full disk does not take is an error, in the form that was asked for', async (t) => {
  const node = await nodeThatSays(t, { user: 'alice', status: 'delivered', sessions: 1 });
  const inWords = await inShell(`send alice x --node ${node}`, '> /dev/full');
  t.equal(inWords.code, '1');
  t.match(inWords.stderr, /^pinwheel: stdout cannot be written: ENOSPC.*\n$/);
  const asJson = await inShell(`send alice x --node ${node} --json`, '> /dev/full');
  t.equal(asJson.code, '1');
  t.match(JSON.parse(asJson.stderr), { error: { code: 'internal', message: /ENOSPC/ } });
});

t.test('a reader that has gone changes nothing of the exit code of a message', async (t) => {
  for (const [status, code] of [
    ['offline', '4'],
    ['delivered', '0'],
  ] as const) {
    const node = await nodeThatSays(t, { user: 'alice', status, sessions: 1 });
    t.same(await inShell(`send alice x --node ${node}`, '| true'), { code, stderr: '' }, status);
  }
});

t.test('a node whose stdout cannot be written serves, and leaves in order', async (t) => {
  const [port, wsPort] = [await freePort(), await freePort()];
  const members = file(
    'members.json',
    JSON.stringify({ members: [{ id: 'n1', address: '127.0.0.1', port, wsPort }] }),
  );
  const node = `exec "${process.execPath}" "${pinwheelProgram}" node --id n1 --port ${port} --ws-port ${wsPort} --membership 'static:${members}'`;
  for (const broken of ['> /dev/full', '> >(true)']) {
    const [program, words] = untapped('bash', ['-c', `${node} ${broken}`]);
    const child = spawn(program, words, { stdio: ['ignore', 'inherit', 'pipe'], timeout: 60_000 });
    let log = '';
    child.stderr.on('data', (bytes) => {
      log += bytes;
    });
    const exit = once(child, 'exit');
    await until(`it is ready, with ${broken}`, async () => {
      if (child.exitCode !== null) throw new Error(log);
      return (await fetch(`http://127.0.0.1:${port}/readyz`)).ok;
    });
    child.kill('SIGTERM');
    t.same(await exit, [0, null], broken);
    t.notMatch(log, /ENOSPC|EPIPE/);
  }
});
