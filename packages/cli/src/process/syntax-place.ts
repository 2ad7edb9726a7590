import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

const checkMs = 5000;

/**
 * Where a module cannot be understood: `FILE:LINE`, the line and a mark below the place, as Node.js prints them. `''` when
 * that is not known, as for a fault in another file that the module imports.
 */
export function syntaxPlace(error: unknown, file: string): string {
  if (!(error instanceof SyntaxError)) return '';
  return headOf(error.stack ?? '') || headOf(checked(file));
}

/** The error of an ES module has no place: it is printed when nobody catches it, as by a process of its own, which runs nothing. */
function checked(file: string): string {
  const { stderr } = spawnSync(process.execPath, ['--check', '--input-type=module', '-'], {
    input: readFileSync(file),
    encoding: 'utf8',
    timeout: checkMs,
    env: {},
  });
  return stderr.replace(/^\[stdin\]/, () => file);
}

function headOf(stack: string): string {
  const at = stack.search(/^SyntaxError: /m);
  return at === -1 ? '' : stack.slice(0, at).trimEnd();
}
