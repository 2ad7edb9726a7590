import { readdirSync } from 'node:fs';

/**
 * Runs the tests of every `*.unit.ts` in the folder of the calling file, one file after the other in this process. They
 * are of mechanisms that know no socket and no process: to start Node.js, tsx and tap for each of them would take
 * several times as long as its tests.
 *
 * @param caller the `import.meta.url` of the file that calls.
 * @throws Error when there is none.
 */
export async function runUnits(caller: string): Promise<void> {
  const files = readdirSync(new URL('.', caller)).filter((file) => file.endsWith('.unit.ts'));
  if (files.length === 0) throw new Error(`no *.unit.ts beside ${caller}`);
  for (const file of files) await import(new URL(file, caller).href);
}
