import { type ChildProcessWithoutNullStreams, type SpawnOptions, spawn } from 'node:child_process';
import { untapped } from './untapped.js';

/** Makes of a program and its words what is started. */
export type HowToStart = (program: string, words: readonly string[]) => [program: string, words: string[]];

/** Starts Node.js as it is started outside of a test. */
export function runNode(
  words: readonly string[],
  options: Omit<SpawnOptions, 'stdio'> = {},
  how: HowToStart = untapped,
): ChildProcessWithoutNullStreams {
  return spawn(...how(process.execPath, words), { ...options, stdio: 'pipe' });
}
