// Counts the assertions in TAP output, however deep the subtests are nested, and prints the closing line.
import { readFileSync } from 'node:fs';

const counts = { passed: 0, failed: 0, skipped: 0 };
// a line that closes a subtest repeats what its assertions have said; it carries the subtest's time
const closesSubtest = /# time=/;
for (const line of readFileSync(process.argv[2], 'utf8').split('\n')) {
  const point = /^ *(not ok|ok) \d+/.exec(line);
  if (point === null || (point[1] === 'ok' && closesSubtest.test(line))) continue;
  if (/# (skip|todo)/i.test(line)) counts.skipped++;
  else if (point[1] === 'ok') counts.passed++;
  else counts.failed++;
}
console.log(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`);
process.exitCode = counts.failed === 0 && counts.passed > 0 ? 0 : 1;
