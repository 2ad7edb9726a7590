import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { toolPath } from './fetch.js';

const script = fileURLToPath(new URL('fetch.js', import.meta.url));

t.test('what is there already is found, named and not fetched', async (t) => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [script], { encoding: 'utf8' });
  const paths = `consul: ${toolPath('consul')}\nchromium: ${toolPath('chromium')}\n`;
  t.same({ status, stdout, stderr }, { status: 0, stdout: paths, stderr: '' });
  t.ok(isAbsolute(toolPath('consul')));
  t.ok(isAbsolute(toolPath('chromium')));
  t.match(spawnSync(toolPath('consul'), ['version'], { encoding: 'utf8' }).stdout, /^Consul v\d/);
});

t.test('what is nowhere and cannot be fetched is named, with what to do', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'pinwheel-tools-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  cpSync(script, join(folder, 'test', 'tools', 'fetch.mjs'));
  // neither the tool nor apt is on this PATH
  const { status, stderr } = spawnSync(process.execPath, [join(folder, 'test', 'tools', 'fetch.mjs')], {
    encoding: 'utf8',
    env: { PATH: folder },
  });
  t.equal(status, 1);
  for (const name of ['consul', 'chromium']) {
    const said = `${name} is missing .*: install ${name} so that it is on PATH, then run npm test again\n`;
    t.match(stderr, new RegExp(said));
  }
});
