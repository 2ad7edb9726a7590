import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Teardown } from './consul.js';
import { type HowToStart, runNode } from './run-node.js';

export const pinwheelProgram = fileURLToPath(new URL('../../packages/cli/bin/pinwheel.js', import.meta.url));
const startDeadlineMs = 30_000;

/** A command that goes on until it is told to stop. */
export interface PinwheelProcess<Facts> {
  readonly pid: number;
  /** What it printed with `--json` when it was up. */
  readonly facts: Facts;
  /** Everything it has written to stderr so far. */
  log(): string;
  signal(signal: NodeJS.Signals): void;
  /** Exit code, or the signal that ended it. */
  readonly exit: Promise<number | NodeJS.Signals>;
}

/** Starts `pinwheel …` with `--json` and resolves with its first line. Killed at the end of the test, if need be. */
export async function startPinwheel<Facts>(
  t: Teardown,
  words: readonly string[],
  environment: Readonly<Record<string, string>> = {},
  nodeFlags: readonly string[] = [],
  how?: HowToStart,
): Promise<PinwheelProcess<Facts>> {
  const env = { PATH: process.env['PATH'], HOME: process.env['HOME'], ...environment };
  const child = runNode([...nodeFlags, pinwheelProgram, ...words, '--json'], { env }, how);
  child.stdin.end();
  let log = '';
  child.stderr.on('data', (bytes) => {
    log += bytes;
  });
  const exit = once(child, 'exit').then(([code, signal]) => (code ?? signal) as number | NodeJS.Signals);
  t.teardown(async () => {
    child.kill('SIGKILL');
    await exit;
  });
  const late = setTimeout(() => child.kill('SIGKILL'), startDeadlineMs);
  const line = await Promise.race([
    once(createInterface({ input: child.stdout }), 'line').then(([text]) => text as string),
    exit.then((code) => Promise.reject(new Error(`pinwheel ${words.join(' ')} ended with ${code}: ${log}`))),
  ]);
  clearTimeout(late);
  return {
    pid: child.pid!,
    facts: JSON.parse(line) as Facts,
    log: () => log,
    signal: (signal) => child.kill(signal),
    exit,
  };
}

export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `pinwheel …` to its end, which comes after `deadlineMs` at the latest. */
export async function runPinwheel(
  words: readonly string[],
  environment: Readonly<Record<string, string>> = {},
  deadlineMs = 60_000,
): Promise<Ran> {
  const child = runNode([pinwheelProgram, ...words], {
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'], ...environment },
    timeout: deadlineMs,
  });
  child.stdin.end();
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (bytes) => {
    stdout += bytes;
  });
  child.stderr.on('data', (bytes) => {
    stderr += bytes;
  });
  const [code] = await once(child, 'close');
  return { code: code as number, stdout, stderr };
}
