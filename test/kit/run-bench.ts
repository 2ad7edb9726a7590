import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Comparison } from '@pinwheel/bench';
import type { Test } from 'tap';
import { runPinwheel } from './pinwheel-process.js';

// small, on machines that do other things: counts are asserted, times are not, so nothing has to be warm for them
const small = ['--users', '60', '--rate', '400', '--rounds', '1', '--outstanding', '100', '--warm-up', '100'];
const short = ['--steady-seconds', '1', '--saturation-seconds', '1', '--change-seconds', '5'];
const deadlineMs = 250_000;

export interface SmallBench extends Comparison {
  /** What a person reads. */
  readonly text: string;
  readonly html: string;
}

/** Runs `pinwheel bench …` to its end, which must be a good one. */
export async function runBench(t: Test, ...words: readonly string[]): Promise<SmallBench> {
  const folder = mkdtempSync(join(tmpdir(), 'pinwheel-test-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const [json, html] = [join(folder, 'result.json'), join(folder, 'report.html')];
  const files = ['--json', json, '--html', html];
  const ran = await runPinwheel(['bench', ...small, ...short, ...files, ...words], {}, deadlineMs);
  t.equal(ran.code, 0, ran.stderr);
  const comparison = JSON.parse(readFileSync(json, 'utf8')) as Comparison;
  return { ...comparison, text: ran.stdout, html: readFileSync(html, 'utf8') };
}
