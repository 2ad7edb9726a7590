import { untapped } from './untapped.js';

export const fewDescriptors = 256;

/** A program and its words, to be spread into `spawn` and the like, with no more than 256 descriptors. */
export function withFewDescriptors(program: string, words: readonly string[]): [string, string[]] {
  return untapped('bash', ['-c', `ulimit -n ${fewDescriptors}; exec "$@"`, '-', program, ...words]);
}

/** The same of a module. */
export function moduleWithFewDescriptors(code: string): [program: string, words: string[]] {
  return withFewDescriptors(process.execPath, ['--input-type=module', '-e', code]);
}
