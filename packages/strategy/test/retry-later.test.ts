import t from 'tap';
import { FakeClock } from '../../sender/test/kit/fake-clock.js';
import { RetryLater } from '../src/retry-later.js';

/** Something that fails each time that it is tried, with waits of that part of their bounds. */
function failing(random: number) {
  const clock = new FakeClock();
  const tries: number[] = [];
  const again = new RetryLater(
    () => {
      tries.push(clock.now());
      again.failed();
    },
    clock.after,
    () => random,
  );
  return { clock, tries, again };
}

t.test('what fails is tried ever later, at some time within a bound that has an end', async (t) => {
  for (const part of [1, 0.5]) {
    const { clock, tries, again } = failing(part);
    again.failed();
    await clock.pass(30_000);
    const waits = tries.map((at, i) => (at - (tries[i - 1] ?? 0)) / part);
    t.same(waits.slice(0, 7), [200, 400, 800, 1600, 3200, 5000, 5000]);
  }
});

t.test('once it goes well the next failure is the first one', async (t) => {
  const { clock, tries, again } = failing(1);
  again.failed();
  await clock.pass(1000);
  t.same(tries, [200, 600]);
  again.cancel();
  again.wentWell();
  again.failed();
  await clock.pass(200);
  t.same(tries, [200, 600, 1200]);
});

t.test('whoever says several times that it failed has it tried once', async (t) => {
  const { clock, tries, again } = failing(1);
  for (let i = 0; i < 5; i++) again.failed();
  t.equal(clock.pending, 1);
  await clock.pass(200);
  t.same(tries, [200]);
});

t.test('what was cancelled is not tried, and may be tried later again', async (t) => {
  const { clock, tries, again } = failing(1);
  again.failed();
  again.cancel();
  again.cancel();
  t.equal(clock.pending, 0);
  await clock.pass(5000);
  t.same(tries, []);
  again.failed();
  await clock.pass(400);
  t.same(tries, [5400]);
});
