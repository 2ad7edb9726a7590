import t from 'tap';
import { scheduleOf } from './generate.js';
import { runSchedule } from './run-schedule.js';
import { protections } from './without.js';

const most = 500;
/** In random schedules another protection stands behind these, or hardly anything leads to them; those with names bite. */
const behindAnother = new Set([
  'a claim follows a tombstone',
  'whoever knows nothing of a user remembers who asked',
  'what waited in the sockets of a node that stood still is not taken',
  'what a plain client had is not sent to it as it comes anew',
  'a client whose edge drains is closed behind what was accepted for it',
]);

for (const [protection, takeAway] of Object.entries(protections)) {
  if (behindAnother.has(protection)) continue;
  t.test(`the simulation notices when it is not so that ${protection}`, async (t) => {
    const giveBack = takeAway();
    t.teardown(giveBack);
    for (let seed = 1; seed <= most; seed++) {
      const { violation } = await runSchedule(scheduleOf(seed));
      if (violation === undefined) continue;
      t.pass(`seed ${seed}: ${violation.rule}`);
      return;
    }
    t.fail(`nothing was broken in ${most} schedules`);
  });
}
