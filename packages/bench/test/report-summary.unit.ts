import fc from 'fast-check';
import t from 'tap';
import { figureOf } from '../src/report/figure.js';
import { figureText } from '../src/report/figure-text.js';
import { numberText } from '../src/report/number-text.js';
import { ratiosOf } from '../src/report/ratio.js';
import { figureIn, summarize } from '../src/report/summary.js';
import { fixtureComparison, without, withRuns } from './kit/fixture.js';

t.test('a figure over the rounds', async (t) => {
  t.test('is the middle one, with the least and the most', async (t) => {
    t.same(figureOf([3, 1, 2]), { median: 2, least: 1, most: 3, rounds: 3 });
    t.same(figureOf([10, 2, 1, 4]), { median: 3, least: 1, most: 10, rounds: 4 });
    t.same(figureOf([7]), { median: 7, least: 7, most: 7, rounds: 1 });
  });

  t.test('counts the rounds that measured it, and no others', async (t) => {
    t.same(figureOf([undefined, 5, undefined]), { median: 5, least: 5, most: 5, rounds: 1 });
    t.equal(figureOf([undefined]), undefined);
    t.equal(figureOf([]), undefined);
  });

  t.test('lies within its spread, whatever the order, with half of the rounds on each side', async () => {
    const amounts = fc.array(fc.double({ min: 0, max: 1e12, noNaN: true }), { minLength: 1, maxLength: 15 });
    fc.assert(
      fc.property(amounts, (values) => {
        const figure = figureOf(values)!;
        const below = values.filter((value) => value < figure.median).length;
        const above = values.filter((value) => value > figure.median).length;
        return (
          figure.least === Math.min(...values) &&
          figure.most === Math.max(...values) &&
          figure.least <= figure.median &&
          figure.median <= figure.most &&
          below <= values.length / 2 &&
          above <= values.length / 2 &&
          figureOf([...values].reverse())!.median === figure.median
        );
      }),
    );
  });

  t.test('scales with what was measured', async () => {
    const amounts = fc.array(fc.integer({ min: 0, max: 1e6 }), { minLength: 1, maxLength: 9 });
    fc.assert(
      fc.property(amounts, fc.integer({ min: 1, max: 1000 }), (values, factor) => {
        const scaled = figureOf(values.map((value) => value * factor))!;
        return scaled.median === figureOf(values)!.median * factor;
      }),
    );
  });
});

t.test('a figure as text', async (t) => {
  const cases: readonly (readonly [number, string])[] = [
    [0, '0'],
    [0.0001, '~0'],
    [0.0125, '0.013'],
    [0.5, '0.5'],
    [1, '1'],
    [4.1, '4.10'],
    [12.06, '12.1'],
    [999.4, '999'],
    [999.7, '1,000'],
    [9999, '9,999'],
    [9999.6, '10.0k'],
    [38_400, '38.4k'],
    [999_600, '1.00M'],
    [2e6, '2.00M'],
    [1.5e13, '15.0T'],
    [1e15, '1e15'],
  ];
  for (const [value, text] of cases) t.equal(numberText(value), text);

  t.equal(figureText(undefined), '–');
  t.equal(figureText(figureOf([11.8, 12.1, 12.9])), '12.1 (11.8-12.9)');
  t.equal(figureText(figureOf([0, 0, 0])), '0');
  t.equal(figureText(figureOf([0, 0, 5])), '0 (0-5)');

  t.test('has at most 19 characters', async () => {
    const amounts = fc.array(fc.double({ min: 0, max: 1e15, noNaN: true }), { minLength: 1, maxLength: 5 });
    fc.assert(fc.property(amounts, (values) => figureText(figureOf(values)).length <= 19));
  });
});

t.test('a summary', async (t) => {
  const comparison = fixtureComparison();

  t.test('joins the rounds of each contender, node count and phase', async (t) => {
    const summaries = summarize(comparison.runs);
    t.equal(summaries.length, 4 * 3 * 5);
    t.ok(summaries.every(({ rounds }) => rounds === 3));
    t.match(summaries[0], { strategy: 'ring', nodes: 3, phase: 'steady' });
    const copies = figureIn(
      summaries,
      { strategy: 'broadcast', nodes: 10, phase: 'saturation' },
      'messagesPerDelivery',
    );
    t.match(copies, { median: 11, least: 11, most: 11 });
    const cpu = figureIn(summaries, { strategy: 'ring', nodes: 5, phase: 'saturation' }, 'cpu')!;
    t.ok(Math.abs(cpu.median - 4.2) < 1e-9);
    t.ok(Math.abs(cpu.least - 4.2 * 0.97) < 1e-9);
    t.ok(Math.abs(cpu.most - 4.2 * 1.03) < 1e-9);
  });

  t.test('does not depend on the order of the runs', async (t) => {
    t.same(summarize([...comparison.runs].reverse()), summarize(comparison.runs));
  });

  t.test('has no figure per delivery where nothing was delivered', async (t) => {
    const none = withRuns(comparison, (run) => ({ ...run, delivered: 0 }));
    t.ok(summarize(none.runs).every(({ figures }) => figures.messagesPerDelivery === undefined));
  });
});

t.test('the ring beside another contender', async (t) => {
  t.test('is divided round by round, so that what slows both down cancels out', async (t) => {
    const ratio = ratiosOf(fixtureComparison()).find(
      ({ other, nodes }) => other === 'registry' && nodes === 3,
    )!;
    t.ok(Math.abs(ratio.saturation!.median - 4.2 / 9.7) < 1e-9);
    t.ok(ratio.saturation!.most - ratio.saturation!.least < 1e-9);
  });

  t.test('is left out where one of both was not measured', async (t) => {
    const half = withRuns(fixtureComparison(), (run) =>
      run.strategy === 'registry' || (run.strategy === 'ring' && run.phase === 'steady')
        ? without(run, 'cpuMicrosPerDelivery')
        : run,
    );
    const ratios = ratiosOf(half);
    t.same([...new Set(ratios.map(({ other }) => other))], ['broadcast', 'broadcast-unbatched']);
    t.ok(ratios.every(({ saturation, steady }) => saturation !== undefined && steady === undefined));
  });
});
