// Makes sure that the programs that tests start are on this machine: on PATH, or unpacked from the
// distribution's own packages into an ignored cache. The machine's own package sources are only read.
// Programs that only benches start are fetched when they are named: node test/tools/fetch.js haproxy nginx
import { execFileSync } from 'node:child_process';
import {
  accessSync,
  chmodSync,
  constants,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const cache = fileURLToPath(new URL('../../.cache/tools/', import.meta.url));

/**
 * `suite`: where the distribution has the package, when the machine's own suite has it no more.
 * `binary`: the program inside the unpacked package.
 * `libraries`: it needs packages that this machine may lack; they are unpacked beside it.
 * `onlyWhenNamed`: no test starts it.
 *
 * @type {Record<string, { package: string, suite?: string, binary: string, libraries?: boolean, onlyWhenNamed?: boolean }>}
 */
const tools = {
  consul: { package: 'consul', suite: 'bullseye', binary: 'usr/bin/consul' },
  chromium: { package: 'chromium', binary: 'usr/lib/chromium/chromium', libraries: true },
  'redis-server': { package: 'redis-server', binary: 'usr/bin/redis-server', libraries: true },
  'nats-server': { package: 'nats-server', binary: 'usr/sbin/nats-server' },
  haproxy: { package: 'haproxy', binary: 'usr/sbin/haproxy', libraries: true, onlyWhenNamed: true },
  nginx: { package: 'nginx', binary: 'usr/sbin/nginx', libraries: true, onlyWhenNamed: true },
};
/** Holds what is run in place of a program that has its libraries beside it, under the program's name: fit for PATH. */
const launchers = 'bin';
/** Where distributions keep servers, and PATH often does not look. */
const serverFolders = ['/usr/sbin', '/usr/local/sbin'];

/**
 * Where a tool is.
 *
 * @param {keyof typeof tools} name
 * @returns {string} absolute path of the program
 * @throws {Error} that says what to run, when it is nowhere
 */
export function toolPath(name) {
  const found = find(name);
  if (found !== undefined) return found;
  const named = tools[name].onlyWhenNamed ? ` ${name}` : '';
  throw new Error(`${name} is not there: run "node test/tools/fetch.js${named}" first`);
}

function find(name) {
  const { binary, libraries = false, onlyWhenNamed = false } = tools[name];
  const inCache = join(cache, name, libraries ? join(launchers, name) : binary);
  const folders = (process.env.PATH ?? '').split(delimiter).concat(onlyWhenNamed ? serverFolders : []);
  return [...folders.map((folder) => join(folder, name)), inCache].find(isProgram);
}

function isProgram(path) {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

function run(command, args, options = {}) {
  return execFileSync(command, args, {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    // a browser with its libraries is 200 MB
    timeout: 900_000,
    ...options,
  });
}

/** Downloads and unpacks one package, and what it needs. */
function fetch(name) {
  const { binary, libraries = false } = tools[name];
  // unpacked by an earlier version, whose launcher had another name
  if (libraries && isProgram(join(cache, name, binary)))
    return writeLauncher(join(cache, name), name, binary);
  const apt = join(cache, `apt.${process.pid}`);
  // unpacked beside and renamed, so that two runs at once or a broken one leave nothing half done
  const beside = join(cache, `${name}.${process.pid}`);
  try {
    mkdirSync(beside, { recursive: true });
    for (const archive of download(tools[name], apt)) run('dpkg-deb', ['-x', archive, beside]);
    chmodSync(join(beside, binary), 0o755);
    if (libraries) writeLauncher(beside, name, binary);
    rmSync(join(cache, name), { recursive: true, force: true });
    renameSync(beside, join(cache, name));
  } finally {
    for (const folder of [apt, beside]) rmSync(folder, { recursive: true, force: true });
  }
}

/** With apt and state folders of our own, in `apt`; returns the paths of the archives. */
function download(tool, apt) {
  const archives = join(apt, 'cache/archives');
  for (const folder of ['state/lists/partial', 'cache/archives/partial', 'parts']) {
    mkdirSync(join(apt, folder), { recursive: true });
  }
  const list = join(apt, 'sources.list');
  const signed = `[signed-by=${keyrings()}]`;
  writeFileSync(
    list,
    sources(tool.suite)
      .map((source) => `deb ${signed} ${source} main\n`)
      .join(''),
  );
  // which libraries are missing depends on what this machine has; without them that does not matter
  const status = tool.libraries ? '/var/lib/dpkg/status' : join(apt, 'status');
  if (!tool.libraries) writeFileSync(status, '');
  const options = [
    `Dir::Etc::SourceList=${list}`,
    `Dir::Etc::SourceParts=${join(apt, 'parts')}`,
    `Dir::State=${join(apt, 'state')}`,
    `Dir::State::status=${status}`,
    `Dir::Cache=${join(apt, 'cache')}`,
    'Debug::NoLocking=1',
    'APT::Sandbox::User=',
    'APT::Update::Error-Mode=any',
    'APT::Update::Post-Invoke-Success=',
    'Acquire::Languages=none',
    'Acquire::Check-Valid-Until=false',
    'Acquire::Retries=2',
  ].flatMap((option) => ['-o', option]);
  const how = tool.libraries ? ['install', '--download-only', '--no-install-recommends'] : ['download'];
  run('apt-get', [...options, 'update']);
  run('apt-get', [...options, '--yes', ...how, tool.package], { cwd: archives });
  return readdirSync(archives)
    .filter((file) => file.endsWith('.deb'))
    .map((file) => join(archives, file));
}

/** A program that finds its libraries beside it. `exec`: it keeps the process, and with it its id and its signals. */
function writeLauncher(folder, name, binary) {
  const lines = [
    '#!/bin/sh',
    'here=$(dirname "$0")/..',
    // the last one: libpulse looks for a part of itself by an absolute path
    'for found in "$here"/usr/lib/*-linux-gnu "$here"/lib/*-linux-gnu "$here"/usr/lib/*-linux-gnu/pulseaudio; do',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: it is the shell's
    '  LD_LIBRARY_PATH=${LD_LIBRARY_PATH:+$LD_LIBRARY_PATH:}$found',
    'done',
    'export LD_LIBRARY_PATH',
    `exec "$here/${binary}" "$@"`,
  ];
  mkdirSync(join(folder, launchers), { recursive: true });
  writeFileSync(join(folder, launchers, name), `${lines.join('\n')}\n`, { mode: 0o755 });
}

/**
 * The mirrors and suites that this machine installs its own packages from: what is there already may be an update, and
 * what belongs to it must be one, too. Of another suite only the mirror is the same.
 */
function sources(otherSuite) {
  const format = '$(REPO_URI) $(COMPONENT) $(RELEASE)';
  // without release info: an image of a machine may have no lists yet
  const main = run('apt-get', ['indextargets', '--no-release-info', '--format', format])
    .split('\n')
    .map((line) => line.split(' '))
    .filter(([uri, component]) => uri && component === 'main');
  const own = main.find(([uri, , suite]) => !/security|updates|backports/.test(`${uri}${suite}`));
  if (own === undefined) throw new Error('apt has no source of the main component');
  const [mirror, , suite] = own;
  if (otherSuite !== undefined) return [`${mirror} ${otherSuite}`];
  const updates = new Set([suite, `${suite}-updates`, `${suite}-security`]);
  const ours = main.filter(([, , name]) => updates.has(name)).map(([uri, , name]) => `${uri} ${name}`);
  return [...new Set(ours)];
}

/** The distribution's own keys, as far as this machine trusts them. */
function keyrings() {
  const folders = ['/usr/share/keyrings', '/etc/apt/trusted.gpg.d'];
  const keys = folders.flatMap((folder) => {
    try {
      return readdirSync(folder)
        .filter((file) => /^debian-archive.*\.(gpg|asc)$/.test(file) && !file.includes('removed'))
        .map((file) => join(folder, file));
    } catch {
      return [];
    }
  });
  if (keys.length === 0) throw new Error('no keyring of the distribution is installed');
  return keys.join(',');
}

/** The named ones, else all that tests start. */
function wanted(names) {
  const unknown = names.find((name) => !Object.hasOwn(tools, name));
  if (unknown !== undefined) {
    console.error(`there is no ${unknown} here; what can be fetched: ${Object.keys(tools).join(', ')}`);
    process.exit(2);
  }
  return names.length > 0 ? names : Object.keys(tools).filter((name) => !tools[name].onlyWhenNamed);
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  for (const name of wanted(process.argv.slice(2))) {
    try {
      if (find(name) === undefined) fetch(name);
      console.log(`${name}: ${toolPath(name)}`);
    } catch (error) {
      const reason = String(error.stderr || error.message)
        .trim()
        .split('\n')
        .at(-1);
      const again = tools[name].onlyWhenNamed ? 'the bench' : 'npm test';
      console.error(
        `${name} is missing and could not be fetched (${reason}): install ${name} so that it is on PATH, then run ${again} again`,
      );
      process.exitCode = 1;
    }
  }
}
