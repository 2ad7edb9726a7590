import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { untapped } from './kit/untapped.js';

const root = fileURLToPath(new URL('..', import.meta.url));
const environment = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !/^(TAP|TS_NODE|npm_)/i.test(name)),
);

const program = `
import { inProcessMembership } from '@pinwheel/membership';
import { createNode } from '@pinwheel/node';
import { createSender } from '@pinwheel/sender';
import { WebSocket } from 'undici';

const membership = inProcessMembership();
const node = await createNode({ id: 'n1', membership });
await node.ready();
const sender = createSender({ membership });
const client = new WebSocket('ws://127.0.0.1:' + node.wsPort + '/ws?user=alice');
const arrived = new Promise((resolve) => client.addEventListener('message', ({ data }) => resolve(data)));
await new Promise((resolve) => client.addEventListener('open', resolve));
const receipt = await sender.send('alice', 'packed');
console.log(JSON.stringify({ receipt, data: await arrived }));
await sender.close();
await node.drain();
await membership.close();
`;

t.test(
  'packed and installed into an empty project, a sender reaches a client of a node',
  { timeout: 300_000 },
  async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'pinwheel-packed-'));
    t.teardown(() => rmSync(folder, { recursive: true, force: true }));
    const tarballs = join(folder, 'tarballs');
    const project = join(folder, 'project');
    mkdirSync(tarballs);
    mkdirSync(project);
    const npm = (cwd: string, ...words: readonly string[]): string =>
      execFileSync(...untapped('npm', words), {
        cwd,
        env: environment,
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'pipe'],
      });

    npm(root, 'pack', '--workspaces', '--pack-destination', tarballs);
    const packed = readdirSync(tarballs).map((file) => join(tarballs, file));
    t.equal(packed.length, readdirSync(join(root, 'packages')).length, 'every package packs');
    for (const tarball of packed) {
      const files = execFileSync('tar', ['-tzf', tarball], { encoding: 'utf8' }).trim().split('\n');
      const others = files.filter(
        (path) => !/^package\/(package\.json|README\.md|bin\/.*|dist\/.*\.(js|d\.ts))$/.test(path),
      );
      t.same(others, [], `${basename(tarball)} has what is run, its types, and nothing that the build left`);
    }
    writeFileSync(join(project, 'package.json'), '{"name":"empty","private":true,"type":"module"}');
    npm(project, 'install', '--prefer-offline', '--no-audit', '--no-fund', ...packed);

    writeFileSync(join(project, 'program.mjs'), program);
    const said = execFileSync(...untapped(process.execPath, ['program.mjs']), {
      cwd: project,
      env: environment,
      encoding: 'utf8',
      timeout: 60_000,
    });
    t.same(JSON.parse(said), {
      receipt: { user: 'alice', status: 'delivered', sessions: 1 },
      data: 'packed',
    });
    const help = execFileSync(...untapped(join(project, 'node_modules/.bin/pinwheel'), ['--help']), {
      env: environment,
      encoding: 'utf8',
    });
    t.match(help, /pinwheel/, 'the command is linked');
  },
);
