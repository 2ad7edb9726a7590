import t from 'tap';
import { scheduleOf } from './generate.js';
import { runSchedule } from './run-schedule.js';
import { protections } from './without.js';

const most = 500;

for (const [protection, { breaks, shows = 'small', takeAway }] of Object.entries(protections)) {
  if (shows === 'by name') continue;
  t.test(`the simulation notices when it is not so that ${protection}`, async (t) => {
    const giveBack = takeAway();
    t.teardown(giveBack);
    for (let seed = 1; seed <= most; seed++) {
      const { violation } = await runSchedule(scheduleOf(seed, shows));
      if (violation === undefined) continue;
      const [invariant] = violation.rule.split(' ');
      t.ok(
        breaks.some((one) => one === invariant),
        `seed ${seed} breaks one of ${breaks}: ${violation.message}`,
      );
      return;
    }
    t.fail(`nothing was broken in ${most} schedules`);
  });
}
