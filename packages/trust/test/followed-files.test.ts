import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import t from 'tap';
import { moduleWithFewDescriptors } from '../../../test/kit/few-descriptors.js';

const folder = mkdtempSync(join(tmpdir(), 'pinwheel-followed-'));
t.teardown(() => rmSync(folder, { recursive: true }));
const key = (id: string) =>
  JSON.stringify({ keys: [{ id, secret: Buffer.alloc(32, id).toString('base64url') }] });

t.test('a file that changed while this process had no descriptor left is read when it has one', async (t) => {
  const path = join(folder, 'keys.json');
  writeFileSync(path, key('a'), { mode: 0o600 });
  const code = `
    import { closeSync, openSync } from 'node:fs';
    import { openKeyFile } from ${JSON.stringify(new URL('../dist/index.js', import.meta.url).href)};
    const taken = [];
    let warnings = 0;
    const file = openKeyFile(${JSON.stringify(path)}, {
      info() { console.log(JSON.stringify({ read: file.current.ids, warnings })); process.exit(); },
      warn(_, text) {
        warnings++;
        // at the next look, too, there is none
        setTimeout(() => { for (const one of taken) closeSync(one); }, 1500);
        console.log(text);
      },
    });
    try { for (;;) taken.push(openSync('/dev/null')); } catch {}
    console.log('full');
    setInterval(() => {}, 1000);
  `;
  const child = spawn(...moduleWithFewDescriptors(code), {
    stdio: ['ignore', 'pipe', 'inherit'],
    timeout: 30_000,
  });
  const lines: string[] = [];
  createInterface({ input: child.stdout }).on('line', (line) => {
    lines.push(line);
    if (line === 'full') writeFileSync(path, key('b'), { mode: 0o600 });
  });
  await once(child, 'close');
  t.match(lines, ['full', /EMFILE.*the last keys stay good/, JSON.stringify({ read: ['b'], warnings: 1 })]);
});
