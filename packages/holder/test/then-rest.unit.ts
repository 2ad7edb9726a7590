import t from 'tap';
import { FakeClock } from '../../sender/test/kit/fake-clock.js';
import { thenRest } from '../src/moves/then-rest.js';

for (const [workMs, restMs] of [
  [2, 2],
  [300, 5],
] as const) {
  t.test(`behind ${workMs} ms of work it rests for ${restMs} ms`, async (t) => {
    const clock = new FakeClock();
    let isOver = false;
    const work = () => new Promise<void>((resolve) => clock.after(workMs, resolve));
    void thenRest(clock, work).then(() => {
      isOver = true;
    });
    await clock.pass(workMs + restMs - 1);
    t.equal(isOver, false);
    await clock.pass(1);
    t.equal(isOver, true);
  });
}
