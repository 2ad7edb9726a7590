import t from 'tap';
import { describeEvent } from './event.js';
import { type Kind, scheduleOf } from './generate.js';
import { runSchedule } from './run-schedule.js';
import { shrink } from './shrink.js';

const seeds: readonly (readonly [kind: Kind, count: number])[] = [
  ['small', 900],
  ['wide', 150],
  ['waves', 100],
  ['calm', 40],
];

for (const [kind, count] of seeds) {
  t.test(`over ${count} schedules of ${kind} services nothing that was promised is broken`, async (t) => {
    for (let seed = 1; seed <= count; seed++) {
      const { violation } = await runSchedule(scheduleOf(seed, kind));
      if (violation === undefined) continue;
      const { setup, events } = await shrink(scheduleOf(seed, kind));
      const { trace } = await runSchedule({ setup, events }, true);
      const again = `npm run simulate -- --seed ${seed}${kind === 'small' ? '' : ` --kind ${kind}`} --shrink --trace`;
      t.comment(again);
      t.comment(events.map(describeEvent).join('\n'));
      t.comment(trace.join('\n'));
      t.fail(`seed ${seed}: ${violation.message}; see ${again}`);
      return;
    }
    t.pass(`${count} schedules`);
  });
}

t.test('a schedule runs the same way again', async (t) => {
  const [one, other] = [await runSchedule(scheduleOf(7), true), await runSchedule(scheduleOf(7), true)];
  t.same(one.trace, other.trace);
  t.ok(one.trace.length > 100);
});
