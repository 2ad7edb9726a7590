import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import t from 'tap';
import { moduleWithFewDescriptors } from '../../../test/kit/few-descriptors.js';

const module = new URL('../dist/memory-watch.js', import.meta.url).href;

t.test('without a free descriptor a process goes on, and looks again when there is one', async (t) => {
  const code = `
    const { closeSync, openSync } = await import('node:fs');
    const { setTimeout: sleep } = await import('node:timers/promises');
    const { MemoryWatch } = await import('${module}');
    const said = [];
    const say = (_fields, words) => said.push(words);
    const watch = (maxRssBytes) => new MemoryWatch({ maxRssBytes, log: { info: say, warn: say } });
    const roomy = watch(1e15);
    const known = roomy.rssBytes;
    const full = watch(1);
    const open = [];
    let error;
    while (error === undefined) {
      try {
        open.push(openSync('/dev/null'));
      } catch ({ code }) {
        error = code;
      }
    }
    // their first looks come after 250 ms, which is before this in the same process however late all are
    await sleep(400);
    const meanwhile = { error, isKept: roomy.rssBytes === known, unknown: full.rssBytes, said: [...said] };
    for (const descriptor of open) closeSync(descriptor);
    while (!full.isOver) await sleep(50);
    console.log(JSON.stringify({ known: known > 0, meanwhile, isOver: roomy.isOver, said }));`;
  const { stdout } = await promisify(execFile)(...moduleWithFewDescriptors(code), { timeout: 50_000 });
  t.same(JSON.parse(stdout), {
    known: true,
    meanwhile: { error: 'EMFILE', isKept: true, unknown: 0, said: [] },
    isOver: false,
    said: ['memory is at its bound: no new clients are taken until there is less'],
  });
});
