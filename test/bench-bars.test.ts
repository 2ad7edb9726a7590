import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import { type Bar, hold, type Round } from '../bench/kit/bar.js';
import { spread } from '../bench/kit/spread.js';
import { table } from '../bench/kit/table.js';
import { runNode } from './kit/run-node.js';

const faults: Bar = { what: 'faults', of: ({ subject }) => subject!['faults']!, atMost: 0 };
const rate: Bar = { what: 'rate', of: ({ subject }) => subject!['rate']!, atLeast: 10 };

/** Rounds in which the only figure of the only contender was this; undefined: it was not handed over. */
function rounds(figure: string, ...values: readonly (number | undefined)[]): readonly Round[] {
  return values.map((value) => ({ subject: value === undefined ? {} : { [figure]: value } }));
}

/** What the table says of a bar, behind its values. */
function verdict(bar: Bar, of: readonly Round[]): string {
  const conditions = {};
  const bars = [hold(bar, of)];
  const text = table({ question: '', doesNotMean: '', conditions, figures: [], bars });
  return text.match(/^(?:faults|rate) .* {3}(.*)$/m)![1]!;
}

t.test('a bar is held against the median, or in every round', async (t) => {
  const some = rounds('faults', 0, 0, 0, 1000, 1000);
  t.match(hold(faults, some), { judged: 0, met: true });
  t.match(hold({ ...faults, everyRound: true }, some), { judged: 1000, met: false });
  t.match(hold({ ...faults, everyRound: true }, rounds('faults', 0, 0, 0)), { judged: 0, met: true });

  const slowOnce = rounds('rate', 20, 5, 30);
  t.match(hold(rate, slowOnce), { judged: 20, met: true });
  t.match(hold({ ...rate, everyRound: true }, slowOnce), { judged: 5, met: false });
});

t.test('the table says what was held against the bound', async (t) => {
  const some = rounds('faults', 0, 0, 0, 1000, 1000);
  t.equal(verdict(faults, some), 'median 0.00, at most 0: met');
  t.equal(verdict({ ...faults, everyRound: true }, some), 'worst 1000, at most 0: MISSED');
  t.equal(verdict(rate, rounds('rate', 20, 5, 30)), 'median 20.0, at least 10: met');
});

t.test('a bar without a number for each round is missed', async (t) => {
  const bounds = [
    { figure: 'faults', bar: faults, good: 0 },
    { figure: 'rate', bar: rate, good: 20 },
  ];
  for (const { figure, bar, good } of bounds) {
    for (const nothing of [undefined, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
      for (const place of [0, 1, 2]) {
        const values = [good, good, good].map((value, i) => (i === place ? nothing : value));
        for (const everyRound of [false, true]) {
          const of = rounds(figure, ...values);
          const name = `${figure} ${values}, every round: ${everyRound}`;
          t.match(hold({ ...bar, everyRound }, of), { measured: false, met: false }, name);
          t.match(verdict({ ...bar, everyRound }, of), /: MISSED \(not measured\)$/, name);
        }
      }
    }
  }
});

t.test('the spread of values of which one is NaN is not that of the others', async (t) => {
  const nothing = { min: Number.NaN, median: Number.NaN, max: Number.NaN };
  t.same(spread([Number.NaN, 1, 1]), nothing);
  t.same(spread([1, Number.NaN, 1]), nothing);
  t.same(spread([3, 1, 2, 4]), { min: 1, median: 2.5, max: 4 });
});

t.test('--check fails for faults in one round of three', async (t) => {
  const byMedian = await runFaulty(t, 'median');
  t.equal(byMedian.code, 0);
  t.match(byMedian.stdout, 'median 0.00, at most 0: met');
  const every = await runFaulty(t, 'every');
  t.equal(every.code, 1);
  t.match(every.stdout, 'worst 1000, at most 0: MISSED');
});

async function runFaulty(t: Test, judging: 'median' | 'every') {
  const bench = fileURLToPath(new URL('./kit/faulty-bench.ts', import.meta.url));
  const runs = join(t.testdir({}), judging);
  const child = runNode(['--import=tsx', bench, judging, runs, '--rounds', '3', '--check']);
  t.teardown(() => child.kill('SIGKILL'));
  child.stderr.resume();
  const [stdout, [code]] = await Promise.all([text(child.stdout), once(child, 'exit')]);
  return { code, stdout };
}
