import t from 'tap';
import { FakeClock } from '../../sender/test/kit/fake-clock.js';
import { Sweeps } from '../src/sweeps.js';

const beatMs = 250;

for (const { users, slices, most } of [
  { users: 0, slices: 4, most: 0 },
  { users: 1000, slices: 4, most: 250 },
  { users: 10_000, slices: 40, most: 512 },
  { users: 200_000, slices: 200, most: 2000 },
]) {
  t.test(`${users} users are looked at once a second, at most ${most} at a time`, async (t) => {
    const clock = new FakeClock();
    const parts: number[] = [];
    const sweeps = new Sweeps({ toSweep: users, sweep: (part) => parts.push(part) }, clock);
    for (let i = 0; i < 40; i++) {
      await clock.pass(beatMs);
      sweeps.beat(beatMs);
    }
    const rounds = parts.reduce((sum, part) => sum + part, 0);
    t.ok(Math.abs(rounds - 10) < 0.5, `${rounds} rounds in ten seconds`);
    t.ok(Math.max(...parts) * users <= most, `${Math.max(...parts) * users} at a time`);
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
  const sweeps = new Sweeps({ toSweep: 10, sweep: (part) => parts.push(part) }, clock);
  await clock.pass(60_000);
  sweeps.beat(beatMs);
  t.same(parts, [0.5]);
});
