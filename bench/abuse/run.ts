// What clients do who mean ill, against real processes: `npm run abuse`. It takes about ten minutes; `--cycles 100000
// --warm-up 20000` a tenth of that. Ends with 1 when a bar is missed.
import { parseArgs } from 'node:util';
import { measureCycles } from './cycles.js';
import type { Upstream } from './site.js';
import { measureSlowHeads } from './slow-heads.js';
import { measureUnread } from './unread.js';

const { values } = parseArgs({
  options: {
    cycles: { type: 'string', default: '1000000' },
    'warm-up': { type: 'string', default: '100000' },
    slow: { type: 'string', default: '2000' },
    readers: { type: 'string', default: '200' },
    only: { type: 'string', default: 'slow,unread,cycles' },
    upstream: { type: 'string', default: 'link,tunnel' },
  },
});
const only = values.only.split(',');
const slow = Number(values.slow);
const readers = Number(values.readers);
const goneWithinSeconds = 15;
const slowedAtMost = 2;
/** What the session and the socket may have unread, both at once, and the inbox; and what the processes are made of. */
const kilobytesEach = 64 + 1024 + 256 + 512;
const grownAtMost = 1.05;
let missed = 0;

for (const upstream of values.upstream.split(',') as Upstream[]) {
  if (only.includes('slow')) {
    const { calmMs, abusedMs, goneSeconds, counted, refused } = await measureSlowHeads(upstream, slow);
    show(
      `${upstream}: ${slow} half-open and ${slow} silent clients are gone after`,
      `${goneSeconds.toFixed(1)} s`,
      goneSeconds <= goneWithinSeconds,
    );
    show(`${upstream}: of ${2 * slow} slow clients are counted`, `${counted}`, counted === 2 * slow);
    show(
      `${upstream}: meanwhile a client connects within (p99)`,
      `${abusedMs.toFixed(1)} ms, when calm ${calmMs.toFixed(1)} ms`,
      abusedMs <= slowedAtMost * calmMs && refused === 0,
    );
  }
  if (only.includes('unread')) {
    const figures = await measureUnread(upstream, readers);
    show(
      `${upstream}: ${readers} clients that never read take at most`,
      `${figures.kilobytesEach.toFixed(0)} KB each`,
      figures.kilobytesEach <= kilobytesEach,
    );
    show(
      `${upstream}: and are closed`,
      `${figures.closed} after ${figures.closedAfterSeconds.toFixed(1)} s, ${figures.found4002} with 4002`,
      figures.closed === readers && figures.found4002 === readers,
    );
  }
  if (only.includes('cycles')) {
    const figures = await measureCycles(upstream, Number(values.cycles), Number(values['warm-up']));
    const grown = figures.megabytesAfter / figures.megabytesAfterWarmUp;
    show(
      `${upstream}: ${values.cycles} connections (${figures.cyclesPerSecond.toFixed(0)}/s) leave`,
      `${figures.left} clients, ${figures.descriptorsAfter - figures.descriptorsBefore} descriptors`,
      figures.left === 0 && figures.descriptorsAfter <= figures.descriptorsBefore,
    );
    show(
      `${upstream}: and memory, after ${values['warm-up']} before that`,
      `${figures.megabytesAfter.toFixed(1)} MB, before ${figures.megabytesAfterWarmUp.toFixed(1)} MB`,
      grown <= grownAtMost,
    );
  }
}
process.exit(missed === 0 ? 0 : 1);

function show(what: string, measured: string, isHeld: boolean): void {
  if (!isHeld) missed++;
  console.log(`${isHeld ? 'held  ' : 'MISSED'}  ${what}: ${measured}`);
}
