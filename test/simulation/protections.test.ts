import t from 'tap';
import { scheduleOf } from './generate.js';
import { runSchedule } from './run-schedule.js';
import { protections } from './without.js';

const seeds = 500;

t.test('each protection is needed: without it a promise is broken within 500 schedules', async (t) => {
  for (const [name, takeAway] of Object.entries(protections)) {
    let found: string | undefined;
    for (let seed = 1; seed <= seeds && found === undefined; seed++) {
      const bringBack = takeAway();
      const { violation } = await runSchedule(scheduleOf(seed)).finally(bringBack);
      if (violation === undefined) continue;
      // a schedule that breaks a promise anyway shows nothing of the protection
      const withIt = await runSchedule(scheduleOf(seed));
      if (withIt.violation === undefined) found = `seed ${seed}: ${violation.rule}`;
    }
    t.ok(found, `${name}: ${found}`);
  }
});
