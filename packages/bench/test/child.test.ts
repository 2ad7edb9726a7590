import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import t from 'tap';
import { Child } from '../src/load/child.js';

const script = `
process.on('message', (code) => (code === 'echo' ? process.send(code) : process.exit(code)));
process.once('disconnect', () => process.exit());
process.send('started');
`;

t.test('a process of the bench that ends by itself', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'pinwheel-child-'));
  t.teardown(() => rm(folder, { recursive: true }));
  const path = join(folder, 'child.mjs');
  await writeFile(path, script);
  const child = await Child.start<number | string, string>(pathToFileURL(path), []);
  t.equal(await child.ask('echo'), 'echo');
  await t.rejects(child.ask(7), /child\.mjs ended with 7/, 'whoever waits for it is told');
  await t.rejects(child.ask('echo'), /child\.mjs ended with 7/, 'whoever asks it later, too');
  const failing = await Child.start<string, string>(new URL('./kit/failing-child.ts', import.meta.url), []);
  t.teardown(() => failing.stop());
  t.equal(await failing.ask('well'), 'well');
  await t.rejects(failing.ask('no'), { message: 'it cannot say no' }, 'and why one cannot answer');
  child.stop();
  child.stop();
  t.pass('to stop it is no error: what is stopped behind it must be');
});
