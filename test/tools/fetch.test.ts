import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { toolPath } from './fetch.js';

/** What tests start, in the order in which it is looked for. */
const tools = ['consul', 'chromium', 'redis-server', 'nats-server'] as const;
const script = fileURLToPath(new URL('fetch.js', import.meta.url));

t.test('what is there already is found, named and not fetched', async (t) => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [script], { encoding: 'utf8' });
  const paths = tools.map((name) => `${name}: ${toolPath(name)}\n`).join('');
  t.same({ status, stdout, stderr }, { status: 0, stdout: paths, stderr: '' });
  for (const name of tools) t.ok(isAbsolute(toolPath(name)), name);
  const version = (name: (typeof tools)[number], word: string): string =>
    spawnSync(toolPath(name), [word], { encoding: 'utf8' }).stdout;
  t.match(version('consul', 'version'), /^Consul v\d/);
  t.match(version('redis-server', '--version'), /^Redis server v=\d/);
  t.match(version('nats-server', '--version'), /^nats-server: v\d/);
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
  for (const name of tools) {
    const said = `${name} is missing .*: install ${name} so that it is on PATH, then run npm test again\n`;
    t.match(stderr, new RegExp(said));
  }
});
