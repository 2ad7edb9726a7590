/** Absolute path of a program that tests start; throws what to run when it is nowhere. */
export function toolPath(name: 'consul'): string;
