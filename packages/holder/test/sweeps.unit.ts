import t from 'tap';
import { FakeClock } from '../../sender/test/kit/fake-clock.js';
import { Sweeps } from '../src/users/sweeps.js';

const beatMs = 250;

function swept(users: number, parts: number[]) {
  return { toSweep: users, sweep: (part: number) => void parts.push(part), forgetOld: () => {} };
}

for (const { users, slices, most } of [
  { users: 0, slices: 4, most: 0 },
  { users: 1000, slices: 4, most: 250 },
  { users: 10_000, slices: 40, most: 270 },
  { users: 200_000, slices: 200, most: 1001 },
]) {
  t.test(`${users} users are looked at once a second, at most ${most} at a time`, async (t) => {
    const clock = new FakeClock();
    const parts: number[] = [];
    const sweeps = new Sweeps(swept(users, parts), clock, beatMs);
    for (let i = 0; i < 40; i++) {
      await clock.pass(beatMs);
      sweeps.beat();
    }
    const rounds = parts.reduce((sum, part) => sum + part, 0);
    t.ok(Math.abs(rounds - 10) < 0.01, `${rounds} rounds in ten seconds`);
    // the first beat is the first that it hears of them
    const largest = Math.max(...parts.slice(1)) * users;
    t.ok(largest <= most, `${largest} at a time`);
    t.ok(parts.length <= slices * 10 + 40, `${parts.length} slices`);

    sweeps.stop();
    const before = parts.length;
    await clock.pass(1000);
    t.equal(parts.length, before, 'stopped');
  });
}

t.test('after a standstill it does not make up for all at once', async (t) => {
  const clock = new FakeClock();
  const parts: number[] = [];
  const sweeps = new Sweeps(swept(10, parts), clock, beatMs);
  await clock.pass(60_000);
  sweeps.beat();
  t.same(parts, [0.25]);
});
