import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, isAbsolute, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { findRedisServer } from '../../packages/bench/src/run/own-redis.js';
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

t.test(
  'a program that was fetched is called like itself, so that its folder on PATH is enough',
  async (t) => {
    t.equal(findRedisServer(dirname(toolPath('redis-server'))), toolPath('redis-server'));
  },
);

t.test('what is unpacked already gets its launcher, without another download', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'pinwheel-tools-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const copy = join(folder, 'test', 'tools', 'fetch.mjs');
  cpSync(script, copy);
  const unpacked = join(folder, '.cache', 'tools', 'redis-server');
  mkdirSync(join(unpacked, 'usr', 'bin'), { recursive: true });
  writeFileSync(join(unpacked, 'usr', 'bin', 'redis-server'), '#!/bin/sh\necho "unpacked $1"\n', {
    mode: 0o755,
  });
  const { stdout } = spawnSync(process.execPath, [copy, 'redis-server'], {
    encoding: 'utf8',
    env: { PATH: folder },
  });
  t.equal(stdout, `redis-server: ${join(unpacked, 'bin', 'redis-server')}\n`);
  const started = spawnSync('redis-server', ['--version'], {
    encoding: 'utf8',
    env: { PATH: `${join(unpacked, 'bin')}:${process.env['PATH']}` },
  });
  t.equal(started.stdout, 'unpacked --version\n');
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
