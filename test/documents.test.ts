import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { untapped } from './kit/untapped.js';

const root = fileURLToPath(new URL('..', import.meta.url));
const packages = readdirSync(join(root, 'packages'));
const manifests = packages.map((name) =>
  JSON.parse(readFileSync(join(root, 'packages', name, 'package.json'), 'utf8')),
);
const readme = readFileSync(join(root, 'README.md'), 'utf8');

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

t.test('every link to a file leads somewhere', async (t) => {
  const documents = ['README.md', 'CONTRIBUTING.md', 'bench/README.md', 'ring-config/README.md']
    .concat(readdirSync(join(root, 'docs')).map((name) => `docs/${name}`))
    .concat(packages.map((name) => `packages/${name}/README.md`))
    .filter((file) => file.endsWith('.md'));
  for (const document of documents) {
    const text = readFileSync(join(root, document), 'utf8');
    for (const [, target] of text.matchAll(/\]\(([^)#]+)(?:#[^)]*)?\)/g)) {
      if (/^https?:/.test(target!)) continue;
      t.ok(existsSync(join(root, dirname(document), target!)), `${document} links to ${target}`);
    }
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
