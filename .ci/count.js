// Counts the assertions in TAP output, however deep the subtests are nested. Says again at the end which have
// failed, within which subtests: of a long log often only the end is kept. Prints the closing line.
import { readFileSync } from 'node:fs';

const mostShown = 20;
const mostLines = 40;

const counts = { passed: 0, failed: 0, skipped: 0 };
const failures = [];
/** the subtests that are open, outermost first: indentation in spaces, name, and whether something in them has failed */
let open = [];
/** the failure whose diagnostics follow, or null */
let explained = null;

for (const line of readFileSync(process.argv[2], 'utf8').split('\n')) {
  const indentation = line.search(/\S/);

  if (explained !== null) {
    const within = indentation === -1 || indentation > explained.indentation;
    if (within) explained.diagnostics.push(line);
    if (within && !/^ *\.\.\.$/.test(line)) continue;
    explained = null;
  }

  const subtest = /^ *# Subtest: (.*)$/.exec(line);
  if (subtest !== null) {
    open = open.filter((one) => one.indentation < indentation);
    open.push({ indentation, name: subtest[1], failed: false });
    continue;
  }

  const point = /^ *(not ok|ok) \d+/.exec(line);
  if (point === null) continue;
  // a line that closes a subtest repeats what its assertions have said; it carries the subtest's time
  const isTimed = / # time=/.test(line);
  const closed = isTimed ? open.find((one) => one.indentation === indentation) : undefined;
  open = open.filter((one) => one.indentation < indentation);
  if (point[1] === 'ok') {
    if (/# (skip|todo)/i.test(line)) counts.skipped++;
    else if (!isTimed) counts.passed++;
  } else if (!closed?.failed) {
    counts.failed++;
    explained = { indentation, path: open.map((one) => one.name), line: line.trim(), diagnostics: [] };
    failures.push(explained);
  }
  if (point[1] === 'not ok') for (const one of open) one.failed = true;
}

for (const { path, line, diagnostics } of failures.slice(0, mostShown)) {
  console.log(`\n${[...path, line].join('\n  ')}`);
  console.log(diagnostics.slice(0, mostLines).join('\n'));
}
if (failures.length > mostShown) console.log(`\nand ${failures.length - mostShown} more that failed`);
console.log(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`);
process.exitCode = counts.failed === 0 && counts.passed > 0 ? 0 : 1;
