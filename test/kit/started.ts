import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Teardown } from './consul.js';
import { untapped } from './untapped.js';

export const repository = fileURLToPath(new URL('../..', import.meta.url));

/** A program as somebody who follows a document starts it. */
export interface Started {
  readonly exit: Promise<number>;
  /** What it has written so far, to stdout and to stderr. */
  output(): string;
  ended(): boolean;
  /** A line on its stdin. */
  type(line: string): void;
  /** Ctrl-C; resolves when it is gone. */
  stop(): Promise<void>;
}

/** In the repository, and in a process group of its own, so that what it starts ends with it; at the latest with the test. */
export function startAsWritten(
  t: Teardown,
  program: string,
  words: readonly string[],
  environment: Readonly<Record<string, string>>,
): Started {
  const child: ChildProcess = spawn(...untapped(program, words), {
    cwd: repository,
    env: environment,
    detached: true,
    stdio: 'pipe',
  });
  let output = '';
  let ended = false;
  const add = (bytes: Buffer): void => {
    output += bytes.toString('utf8');
  };
  child.stdout!.on('data', add);
  child.stderr!.on('data', add);
  const exit = once(child, 'close').then(([code]) => {
    ended = true;
    return code as number;
  });
  const stop = async (): Promise<void> => {
    if (!ended) process.kill(-child.pid!, 'SIGTERM');
    await exit;
  };
  t.teardown(stop);
  return {
    exit,
    output: () => output,
    ended: () => ended,
    type: (line) => child.stdin!.write(`${line}\n`),
    stop,
  };
}

/** The environment of this process without what tests and npm have put into it. */
export function plainEnvironment(): Record<string, string> {
  const foreign = /^(TAP|TS_NODE|PINWHEEL|npm_)/;
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !foreign.test(name))) as Record<
    string,
    string
  >;
}
