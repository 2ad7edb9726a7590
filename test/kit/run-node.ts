import { type ChildProcessWithoutNullStreams, type SpawnOptions, spawn } from 'node:child_process';
import { untapped } from './untapped.js';

/** Starts Node.js as it is started outside of a test. */
export function runNode(
  words: readonly string[],
  options: Omit<SpawnOptions, 'stdio'> = {},
): ChildProcessWithoutNullStreams {
  return spawn(...untapped(process.execPath, words), { ...options, stdio: 'pipe' });
}
