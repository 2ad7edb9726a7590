import t from 'tap';
import { scheduleOf } from './generate.js';
import { runSchedule } from './run-schedule.js';

const seeds = 1000;

t.test(`${seeds} schedules of what can go wrong keep every promise`, async (t) => {
  const broken: string[] = [];
  let steps = 0;
  for (let seed = 1; seed <= seeds; seed++) {
    const run = await runSchedule(scheduleOf(seed));
    steps += run.steps;
    if (run.violation === undefined) continue;
    const again = `npm run simulate -- --seed ${seed} --trace`;
    broken.push(`seed ${seed}: ${run.violation.message}; again: ${again}`);
  }
  t.comment(`${steps} steps`);
  t.same(broken, []);
});
