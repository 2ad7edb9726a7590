import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import t from 'tap';
import { withFewDescriptors } from '../../../test/kit/few-descriptors.js';

const module = new URL('../dist/memory-watch.js', import.meta.url).href;

/** What a process prints in which a watch looks while there is no descriptor free, and once there is one again. */
async function printed(maxRssBytes: string, knownBefore: boolean): Promise<unknown> {
  const code = `
    const { closeSync, openSync } = await import('node:fs');
    const { MemoryWatch } = await import('${module}');
    const said = [];
    const say = (fields, words) => said.push(words);
    const watch = new MemoryWatch({ maxRssBytes: ${maxRssBytes}, log: { info: say, warn: say } });
    const before = ${knownBefore} ? watch.rssBytes : 0;
    const open = [];
    let code;
    while (code === undefined) {
      try {
        open.push(openSync('/dev/null'));
      } catch (error) {
        code = error.code;
      }
    }
    // its first look comes after 250 ms, which is before this in the same process however late both are
    await new Promise((resolve) => setTimeout(resolve, 400));
    const meanwhile = { code, isSame: watch.rssBytes === before, isOver: watch.isOver, said: [...said] };
    for (const descriptor of open) closeSync(descriptor);
    for (let tries = 0; said.length === 0 && tries < 200; tries++) {
      await new Promise((resolve) => setTimeout(resolve, 50));
      if (!(${maxRssBytes} < watch.rssBytes)) break;
    }
    watch.close();
    console.log(JSON.stringify({ meanwhile, isOver: watch.isOver, isKnown: watch.rssBytes > 0 }));`;
  const { stdout } = await promisify(execFile)(...withFewDescriptors(code), { timeout: 50_000 });
  return JSON.parse(stdout);
}

t.test('without a free descriptor the process goes on, with what was last known of its memory', async (t) => {
  t.same(await printed('1e15', true), {
    meanwhile: { code: 'EMFILE', isSame: true, isOver: false, said: [] },
    isOver: false,
    isKnown: true,
  });
});

t.test('what could not be looked at is, once there is a descriptor again', async (t) => {
  t.same(await printed('1', false), {
    meanwhile: { code: 'EMFILE', isSame: true, isOver: false, said: [] },
    isOver: true,
    isKnown: true,
  });
});
