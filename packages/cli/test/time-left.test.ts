import t from 'tap';
import { TimeLeft } from '../src/bench/time-left.js';

/** A comparison of three rounds, each with services that take so long, in s: what was said to be left at the start of each phase. */
function leftDuring(rounds: readonly (readonly number[])[], phases = 5) {
  const timeLeft = new TimeLeft();
  const steps = rounds.flat().length;
  const said: { readonly at: number; readonly left: number | undefined }[] = [];
  let [at, step] = [0, 0];
  for (const [i, services] of rounds.entries()) {
    for (const seconds of services) {
      step++;
      for (let phase = 0; phase < phases; phase++) {
        said.push({ at, left: timeLeft.at({ step, steps, round: i + 1 }, at) });
        at += (1000 * seconds) / phases;
      }
    }
  }
  return { said, end: at };
}

t.test('in the first round nobody knows, later it is what a round has taken', async (t) => {
  const { said, end } = leftDuring([
    [10, 20, 60],
    [10, 20, 60],
    [10, 20, 60],
  ]);
  for (const { at, left } of said) {
    if (at < end / 3 - 1) t.equal(left, undefined, `at ${at} ms`);
    else t.ok(Math.abs(left! - (end - at)) < 1, `at ${at} ms: ${left}`);
  }
});

t.test('however long services take, no end is later than the one that was told before', async (t) => {
  for (const rounds of [
    [
      [10, 60],
      [20, 90],
      [5, 100],
    ],
    [
      [60, 90],
      [10, 20],
      [5, 80],
    ],
  ]) {
    const known = leftDuring(rounds).said.filter(({ left }) => left !== undefined);
    const ends = known.map(({ at, left }) => at + left!);
    t.ok(ends.length > 5);
    t.ok(
      ends.every((end, i) => i === 0 || end <= ends[i - 1]! + 1e-6),
      ends.join(),
    );
    t.ok(known.every(({ left }) => left! > 0));
  }
});
