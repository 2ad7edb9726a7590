import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { maxMessages } from '@pinwheel/bench/load/message-number.js';
import { MessageNumbers } from '@pinwheel/bench/load/message-numbers.js';
import t, { type Test } from 'tap';
import { runNode } from './kit/run-node.js';

const sample = fileURLToPath(new URL('./kit/load-without-numbers.ts', import.meta.url));
const says = new RegExp(`messages were sent, \\d+ more are due, and numbers end at ${maxMessages}`);

async function run(t: Test, ...words: readonly string[]) {
  const child = runNode(['--import=tsx', sample, ...words], { timeout: 20_000 });
  t.teardown(() => child.kill('SIGKILL'));
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'exit'),
  ]);
  return { code, stdout, stderr };
}

t.test('numbers are taken in rows, up to the last one', async (t) => {
  const numbers = new MessageNumbers();
  t.equal(numbers.take(), 0);
  t.equal(numbers.take(maxMessages - 3), 1);
  t.equal(numbers.left, 2);
  t.throws(() => numbers.take(3), { name: 'RangeError', message: says });
  t.equal(numbers.take(2), maxMessages - 2, 'what is refused takes none');
  t.throws(() => numbers.take(), { message: `${maxMessages} messages were sent, 1 more` });
});

for (const kind of ['sender', 'single', 'closed-loop']) {
  t.test(`${kind}: a load without numbers ends its sample before silence is measured`, async (t) => {
    const { code, stdout, stderr } = await run(t, kind);
    t.equal(code, 1);
    t.equal(stdout, '');
    t.match(stderr, says);
  });

  t.test(`${kind}: and is not stopped as if nothing were wrong`, async (t) => {
    const { code, stdout, stderr } = await run(t, kind, 'goes-on');
    t.equal(stdout, 'measured\n');
    t.equal(code, 1, 'stop rejects');
    t.match(stderr, says);
  });
}
