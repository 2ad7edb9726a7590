import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { allCommands } from '@pinwheel/cli';
import t from 'tap';
import { untapped } from './kit/untapped.js';

const root = fileURLToPath(new URL('..', import.meta.url));
const packages = readdirSync(join(root, 'packages'));
const manifests = packages.map((name) =>
  JSON.parse(readFileSync(join(root, 'packages', name, 'package.json'), 'utf8')),
);
const readme = readFileSync(join(root, 'README.md'), 'utf8');

const documents = ['README.md', 'PROTOCOL.md', 'SECURITY.md', 'CONTRIBUTING.md']
  .concat(['bench/README.md', 'ring-config/README.md'])
  .concat(readdirSync(join(root, 'docs')).map((name) => `docs/${name}`))
  .concat(packages.map((name) => `packages/${name}/README.md`))
  .filter((file) => file.endsWith('.md'));

t.test('the tables of options, metrics, errors and close codes match the code', async (t) => {
  const tsx = join(root, 'node_modules/.bin/tsx');
  const environment = { PATH: process.env['PATH'], HOME: process.env['HOME'] };
  t.doesNotThrow(() =>
    execFileSync(...untapped(tsx, ['docs/make.ts', '--check']), {
      cwd: root,
      env: environment,
      stdio: 'pipe',
    }),
  );
});

t.test('a program exports the metrics of its sender as metrics.md says', async (t) => {
  const [, snippet = ''] =
    /^```js\n(.*?)^```$/ms.exec(readFileSync(join(root, 'docs/metrics.md'), 'utf8')) ?? [];
  // without a Consul
  const program = snippet
    .replace('consulMembership,', 'inProcessMembership,')
    .replace("consulMembership({ service: 'chat' })", 'membership')
    .replace(
      'const tracker',
      "const membership = inProcessMembership();\nmembership.set({ id: 'n1', port: 7001 });\n$&",
    );
  const words = [
    '--input-type=module',
    '--eval',
    `${program}console.log(await register.metrics());process.exit();`,
  ];
  const said = execFileSync(...untapped(process.execPath, words), { cwd: root, encoding: 'utf8' });
  t.match(said, /^pinwheel_ring_members 1$/m);
  t.match(said, /^pinwheel_sender_\w+/m);
});

t.test('every dependency is named in the README, and every package', async (t) => {
  const names = new Set(manifests.flatMap((manifest) => Object.keys(manifest.dependencies ?? {})));
  const own = manifests.map((manifest) => manifest.name as string);
  for (const name of names)
    if (!own.includes(name)) t.ok(readme.includes(`\`${name}\``), `dependency ${name}`);
  for (const name of own) t.ok(readme.includes(`\`${name}\``), `package ${name}`);
});

t.test('every link leads to a file that is there, and to a heading in it', async (t) => {
  for (const document of documents) {
    const text = readFileSync(join(root, document), 'utf8');
    for (const [, to, heading] of text.matchAll(/\]\(([^)#\s]*)(?:#([^)]*))?\)/g)) {
      if (/^https?:/.test(to!)) continue;
      const target = to === '' ? document : join(dirname(document), to!);
      t.ok(existsSync(join(root, target)), `${document} links to ${to}`);
      if (heading === undefined) continue;
      t.ok(
        headingsOf(readFileSync(join(root, target), 'utf8')).has(heading),
        `${document}: ${to}#${heading}`,
      );
    }
  }
});

/** The headings of a document, as links name them. */
function headingsOf(text: string): ReadonlySet<string> {
  const headings = text.replaceAll(/^```.*?^```$/gms, '').matchAll(/^#+ (.*)$/gm);
  return new Set(
    [...headings].map(([, heading]) =>
      heading!
        .toLowerCase()
        .replaceAll(/[^\w\- ]/g, '')
        .replaceAll(' ', '-'),
    ),
  );
}

t.test('every command in a document is one, and takes the options that it is given', async (t) => {
  // the longest name first: `bench model` is none of `bench`
  const commands = [...(await allCommands())].sort((a, b) => b.name.length - a.name.length);
  let found = 0;
  for (const document of documents) {
    const text = readFileSync(join(root, document), 'utf8');
    const blocks = [...text.matchAll(/^```\w*\n(.*?)^```$/gms)].flatMap(([, block]) => block!.split('\n'));
    const inline = [...text.replaceAll(/^```.*?^```$/gms, '').matchAll(/`([^`]+)`/g)].map(
      ([, code]) => code!,
    );
    for (const code of [...blocks, ...inline]) {
      const [, words] = /(?:^|[ /])pinwheel ([a-z][^#|;]*)/.exec(code) ?? [];
      if (words === undefined) continue;
      found++;
      const command = commands.find(({ name }) => words === name || words.startsWith(`${name} `));
      t.ok(command, `${document}: ${code}`);
      const options = new Set(['config', ...(command?.options ?? []).map(({ name }) => name)]);
      for (const [, name] of words.matchAll(/ --([a-z0-9-]+)/g))
        t.ok(options.has(name!), `${document}: ${code}`);
    }
  }
  t.ok(found > 50, `${found} commands`);
});

t.test('what a log says, by operations.md, is what the code says', async (t) => {
  const text = readFileSync(join(root, 'docs/operations.md'), 'utf8');
  const [, table = ''] = /^\| a log says \|.*\n\|.*\n((?:\|.*\n)+)/m.exec(text) ?? [];
  const said = table.split('\n').flatMap((row) => [...(row.split('|')[1] ?? '').matchAll(/`([^`]+)`/g)]);
  t.ok(said.length > 5, `${said.length} lines`);
  const sources = packages.flatMap((name) => {
    const folder = join(root, 'packages', name, 'src');
    const files = readdirSync(folder, { recursive: true, encoding: 'utf8' });
    return files
      .filter((file) => file.endsWith('.ts'))
      .map((file) => readFileSync(join(folder, file), 'utf8'));
  });
  for (const [, line = ''] of said) {
    t.ok(
      sources.some((source) => source.includes(line)),
      line,
    );
  }
});

t.test('every package imports only what its manifest names', async (t) => {
  for (const [i, name] of packages.entries()) {
    const allowed = new Set(Object.keys(manifests[i]!.dependencies ?? {}));
    const folder = join(root, 'packages', name, 'src');
    const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) =>
      file.endsWith('.ts'),
    );
    for (const file of files) {
      const text = readFileSync(join(folder, file), 'utf8');
      for (const [, from] of text.matchAll(/ from '([^'\n]+)';$/gm)) {
        if (from!.startsWith('.') || from!.startsWith('node:')) continue;
        const wanted = from!.startsWith('@') ? from!.split('/').slice(0, 2).join('/') : from!.split('/')[0]!;
        t.ok(allowed.has(wanted), `${name}/src/${file} imports ${wanted}`);
      }
    }
  }
});

t.test('folders of a package import from those to their right in architecture.md', async (t) => {
  const text = readFileSync(join(root, 'docs/architecture.md'), 'utf8');
  const [, lines = ''] = /to its right only\..*?^```text\n(.*?)^```$/ms.exec(text) ?? [];
  const orders = lines
    .trim()
    .split('\n')
    .map((line) => line.split(/\s+/));
  t.ok(orders.length > 3, `${orders.length} packages`);
  for (const [name, ...folders] of orders) {
    const source = join(root, 'packages', name!, 'src');
    const found = readdirSync(source, { withFileTypes: true }).filter((entry) => entry.isDirectory());
    t.same(found.map((entry) => entry.name).sort(), [...folders].sort(), `the folders of ${name}`);
    for (const [at, folder] of folders.entries()) {
      for (const file of readdirSync(join(source, folder))) {
        const code = readFileSync(join(source, folder, file), 'utf8');
        for (const [, other] of code.matchAll(/ from '\.\.\/([^/']+)\/[^']*';$/gm)) {
          t.ok(folders.indexOf(other!) > at, `${name}/src/${folder}/${file} imports ${other}`);
        }
      }
    }
  }
});

t.test('every unit is run: beside it is what runs those of its folder', async (t) => {
  let units = 0;
  for (const name of packages) {
    const folder = join(root, 'packages', name, 'test');
    const files = existsSync(folder) ? readdirSync(folder, { recursive: true, encoding: 'utf8' }) : [];
    for (const file of files.filter((file) => file.endsWith('.unit.ts'))) {
      units++;
      t.ok(existsSync(join(folder, dirname(file), 'units.test.ts')), `${name}: ${file}`);
    }
  }
  t.ok(units > 50, `${units} units`);
});
