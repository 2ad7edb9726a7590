import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { untapped } from '../../../test/kit/untapped.js';
import { entries, startFakeConsul } from './fake-consul.js';

const built = new URL('../dist/index.js', import.meta.url);

t.test('a process that ended its tracker exits by itself, without closing the membership', async (t) => {
  // answers the first read, and holds every read that waits for a change
  const fake = await startFakeConsul(t, (response, request) => {
    if (!request.url?.includes('index=')) entries('5', 'n1')(response, request);
  });
  const sources = [
    `membershipFrom('consul://127.0.0.1:${fake.port}/chat')`,
    `staticMembership([{ id: 'n1', address: '127.0.0.1', port: ${fake.port} }])`,
    'inProcessMembership()',
  ];
  for (const source of sources) {
    const code = `
      import { createRingTracker, inProcessMembership, membershipFrom, staticMembership } from ${JSON.stringify(built.href)};
      const tracker = createRingTracker({ membership: ${source} });
      await tracker.start();
      await tracker.close();
    `;
    const child = spawn(...untapped(process.execPath, ['--input-type=module', '-e', code]), {
      cwd: fileURLToPath(new URL('..', import.meta.url)),
      stdio: ['ignore', 'ignore', 'pipe'],
      // a Consul read that is left behind would keep it for more than ten seconds
      timeout: 9_000,
    });
    let stderr = '';
    child.stderr.on('data', (chunk: Buffer) => {
      stderr += chunk.toString();
    });
    const [exitCode, signal] = await once(child, 'exit');
    t.same({ exitCode, signal, stderr }, { exitCode: 0, signal: null, stderr: '' }, source);
  }
});
