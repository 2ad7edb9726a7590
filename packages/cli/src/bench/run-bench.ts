import { appendFileSync, existsSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import {
  type BenchOptions,
  type Contender,
  htmlReport,
  type Phase,
  type Progress,
  quickBench,
  runComparison,
  textReport,
} from '@pinwheel/bench';
import { PinwheelError } from '@pinwheel/protocol';
import type { Invocation } from '../command.js';
import { given } from '../settings/given.js';
import type { Settings } from '../settings/settings.js';
import { readVersion } from '../version.js';
import { benchOptions } from './bench-options.js';
import { countOf, countsOf, wordsOf } from './bench-values.js';
import { TimeLeft } from './time-left.js';

const program = fileURLToPath(new URL('../../bin/pinwheel.js', import.meta.url));

/** What it has started ends with it. */
const endAtOnce = (): never => process.exit(1);

/** Runs the comparison; exit code 0 whatever it shows, 1 when a part of it could not be measured: the files have the rest. */
export async function bench({ settings, output }: Invocation): Promise<number> {
  const jsonFile = settings.text(benchOptions.jsonFile);
  const htmlFile = settings.text(benchOptions.htmlFile);
  const files = [jsonFile, htmlFile].filter((file) => file !== undefined);
  const made: string[] = [];
  // nothing came of it, and an empty file looks like a result
  const removeEmpty = (): void => {
    for (const file of made) if (statSync(file, { throwIfNoEntry: false })?.size === 0) rmSync(file);
  };
  process.once('exit', removeEmpty);
  const ending = new AbortController();
  const end = (): void => {
    if (ending.signal.aborted) endAtOnce();
    output.step('ends after this phase; Ctrl-C again ends it at once');
    ending.abort();
  };
  process.on('SIGINT', end);
  process.on('SIGTERM', end);
  // nobody sees what would come
  process.on('SIGHUP', endAtOnce);
  try {
    // before minutes of work rather than after; what is in them stays until there is something to put in its place
    for (const file of files) {
      const isNew = !existsSync(file);
      checked(file, () => appendFileSync(file, ''));
      if (isNew) made.push(file);
    }
    const start = performance.now();
    const timeLeft = new TimeLeft();
    let told = 0;
    const progress = (at: Progress): void => {
      for (; told < at.missing.length; told++) output.step(at.missing[told]!);
      output.step(describe(at, timeLeft.at(at, performance.now() - start)));
    };
    const { comparison, isWhole } = await runComparison(
      readOptions(settings),
      readVersion(),
      progress,
      ending.signal,
    );
    if (jsonFile !== undefined) write(jsonFile, `${JSON.stringify(comparison)}\n`);
    if (htmlFile !== undefined) write(htmlFile, htmlReport(comparison));
    output.result(comparison, textReport(comparison));
    return isWhole ? 0 : 1;
  } finally {
    removeEmpty();
    process.off('exit', removeEmpty);
    process.off('SIGINT', end);
    process.off('SIGTERM', end);
    process.off('SIGHUP', endAtOnce);
  }
}

function readOptions(settings: Settings): BenchOptions {
  return {
    ...(settings.flag(benchOptions.quick) ? quickBench : {}),
    // with the flags that this process was started with, as the nodes and edges of a service are
    command: [process.execPath, ...process.execArgv, program],
    ...given('strategies', wordsOf<Contender>(settings, benchOptions.strategies)),
    ...given('nodeCounts', countsOf(settings, benchOptions.nodeCounts)),
    ...given('users', countOf(settings, benchOptions.users)),
    ...given('rate', countOf(settings, benchOptions.rate)),
    ...given('payloadBytes', settings.number(benchOptions.payload)),
    ...given('rounds', settings.number(benchOptions.rounds)),
    ...given('phases', wordsOf<Phase>(settings, benchOptions.phases)),
    ...given('steadySeconds', settings.number(benchOptions.steadySeconds)),
    ...given('saturationSeconds', settings.number(benchOptions.saturationSeconds)),
    ...given('changeSeconds', settings.number(benchOptions.changeSeconds)),
    ...given('outstanding', settings.number(benchOptions.outstanding)),
    ...given('warmUp', settings.number(benchOptions.warmUp)),
    ...given('edges', settings.number(benchOptions.edges)),
    ...given('redis', settings.text(benchOptions.redis)),
  };
}

function describe(
  { step, steps, strategy, nodes, round, phase }: Progress,
  leftMs: number | undefined,
): string {
  const what = phase === 'start' ? 'starting' : phase;
  const left = leftMs === undefined ? '' : `; about ${minutes(leftMs)} left`;
  return `[${step}/${steps}] ${strategy}, ${nodes} nodes, round ${round}: ${what}${left}`;
}

function minutes(ms: number): string {
  return ms < 90_000 ? `${Math.ceil(ms / 1000)} s` : `${Math.round(ms / 60_000)} min`;
}

function write(file: string, text: string): void {
  checked(file, () => writeFileSync(file, text));
}

function checked(file: string, touch: () => void): void {
  try {
    touch();
  } catch (cause) {
    throw new PinwheelError('bad-option', `${file} cannot be written: ${(cause as Error).message}`, {
      cause,
    });
  }
}
