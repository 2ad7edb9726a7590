// Makes sure that the programs that tests start are on this machine: on PATH, or unpacked from the
// distribution's own packages into an ignored cache. The machine's own package sources are only read.
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
 */
const tools = {
  consul: { package: 'consul', suite: 'bullseye', binary: 'usr/bin/consul' },
};

/**
 * Where a tool is.
 *
 * @param {keyof typeof tools} name
 * @returns {string} absolute path of the program
 * @throws {Error} that says what to run, when it is nowhere
 */
export function toolPath(name) {
  const found = find(name);
  if (found === undefined) throw new Error(`${name} is not there: run "node test/tools/fetch.js" first`);
  return found;
}

function find(name) {
  const inCache = join(cache, name, tools[name].binary);
  const onPath = (process.env.PATH ?? '').split(delimiter).map((folder) => join(folder, name));
  return [...onPath, inCache].find(isProgram);
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
    timeout: 300_000,
    ...options,
  });
}

/** Downloads and unpacks one package with apt and dpkg, with state folders of our own. */
function fetch(name) {
  const tool = tools[name];
  const apt = join(cache, 'apt', tool.suite);
  for (const folder of ['state/lists/partial', 'cache/archives/partial', 'parts', 'download']) {
    mkdirSync(join(apt, folder), { recursive: true });
  }
  const list = join(apt, 'sources.list');
  writeFileSync(list, `deb [signed-by=${keyrings()}] ${mirror()} ${tool.suite} main\n`);
  writeFileSync(join(apt, 'status'), '');
  const options = [
    `Dir::Etc::SourceList=${list}`,
    `Dir::Etc::SourceParts=${join(apt, 'parts')}`,
    `Dir::State=${join(apt, 'state')}`,
    `Dir::State::status=${join(apt, 'status')}`,
    `Dir::Cache=${join(apt, 'cache')}`,
    'APT::Sandbox::User=',
    'APT::Update::Error-Mode=any',
    'APT::Update::Post-Invoke-Success=',
    'Acquire::Languages=none',
    'Acquire::Check-Valid-Until=false',
    'Acquire::Retries=2',
  ].flatMap((option) => ['-o', option]);
  const download = join(apt, 'download');
  run('apt-get', [...options, 'update']);
  run('apt-get', [...options, 'download', tool.package], { cwd: download });
  const deb = readdirSync(download).find(
    (file) => file.startsWith(`${tool.package}_`) && file.endsWith('.deb'),
  );
  // unpacked beside and renamed, so that two runs at once or a broken one leave nothing half done
  const beside = join(cache, `${name}.${process.pid}`);
  mkdirSync(beside, { recursive: true });
  run('dpkg-deb', ['-x', join(download, deb), beside]);
  chmodSync(join(beside, tool.binary), 0o755);
  rmSync(join(cache, name), { recursive: true, force: true });
  renameSync(beside, join(cache, name));
  rmSync(apt, { recursive: true, force: true });
}

/** The mirror that this machine installs its own packages from. */
function mirror() {
  const format = '$(REPO_URI) $(COMPONENT) $(CODENAME)';
  const targets = run('apt-get', ['indextargets', '--format', format])
    .split('\n')
    .map((line) => line.split(' '));
  const own = targets.find(
    ([uri, component, suite]) =>
      uri && component === 'main' && !/security|updates|backports/.test(`${uri}${suite}`),
  );
  if (own === undefined) throw new Error('apt has no source of the main component');
  return own[0];
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

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  for (const name of Object.keys(tools)) {
    try {
      if (find(name) === undefined) fetch(name);
      console.log(`${name}: ${toolPath(name)}`);
    } catch (error) {
      const reason = String(error.stderr || error.message)
        .trim()
        .split('\n')
        .at(-1);
      console.error(
        `${name} is missing and could not be fetched (${reason}): install ${name} so that it is on PATH, then run npm test again`,
      );
      process.exitCode = 1;
    }
  }
}
