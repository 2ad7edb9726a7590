import { untapped } from './untapped.js';

/** A module as the program and words of a process that has no more than 256 descriptors, to be spread into `spawn` and the like. */
export function withFewDescriptors(code: string): [program: string, words: string[]] {
  const words = ['ulimit -n 256; exec "$@"', '-', process.execPath, '--input-type=module', '-e', code];
  return untapped('bash', ['-c', ...words]);
}
