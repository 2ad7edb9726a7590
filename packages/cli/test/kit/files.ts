import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A folder that goes with the test, and the call that puts a file into it and gives its path. */
export function temporaryFiles(t: {
  teardown(end: () => void): void;
}): (name: string, text: string) => string {
  const folder = mkdtempSync(join(tmpdir(), 'pinwheel-cli-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  return (name, text) => {
    const path = join(folder, name);
    writeFileSync(path, text);
    return path;
  };
}
