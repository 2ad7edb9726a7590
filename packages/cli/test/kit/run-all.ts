import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Ran } from '../../../../test/kit/pinwheel-process.js';
import { runNode } from '../../../../test/kit/run-node.js';

const script = fileURLToPath(new URL('./run-all.mjs', import.meta.url));

/** Runs command lines that end by themselves, as `pinwheel …` would, one after the other in one process. */
export async function runAll(lines: readonly (readonly string[])[]): Promise<readonly Ran[]> {
  const child = runNode([script, JSON.stringify(lines)], { timeout: 60_000 });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (bytes) => {
    stdout += bytes;
  });
  child.stderr.on('data', (bytes) => {
    stderr += bytes;
  });
  const [code] = await once(child, 'close');
  if (code !== 0) throw new Error(`it ended with ${code}: ${stderr}`);
  return JSON.parse(stdout) as readonly Ran[];
}
