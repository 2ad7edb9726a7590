import t from 'tap';
import { type Kind, scheduleOf } from './generate.js';
import { type Run, runSchedule } from './run-schedule.js';
import { shrink } from './shrink.js';
import { protections } from './without.js';

const most = 500;

/** The first seed whose schedule breaks something. */
async function failingSeed(kind: Kind): Promise<number> {
  for (let seed = 1; seed <= most; seed++)
    if ((await runSchedule(scheduleOf(seed, kind))).violation !== undefined) return seed;
  throw new Error(`nothing was broken in ${most} schedules`);
}

function told({ violation, trace }: Run): readonly string[] {
  return [...trace, violation!.message];
}

const broken: readonly (readonly [kind: Kind, without: string])[] = [
  ['small', 'a sender has a lane for each user'],
  ['wide', 'a handoff has two phases'],
  ['waves', 'a claim follows a tombstone'],
];

for (const [kind, without] of broken) {
  t.test(`a seed of ${kind} services that fails without "${without}"`, async (t) => {
    t.teardown(protections[without]!.takeAway());
    const seed = await failingSeed(kind);
    const schedule = scheduleOf(seed, kind);
    const first = await runSchedule(schedule, true);

    t.test('gives the same schedule, and replays exactly', async (t) => {
      t.same(scheduleOf(seed, kind), schedule);
      const again = await runSchedule(JSON.parse(JSON.stringify(schedule)), true);
      t.same(told(again), told(first));
      t.equal(again.steps, first.steps);
      t.ok(first.trace.length > 100);
    });

    t.test('is shrunk to no more events, which break the same promise', async (t) => {
      const small = await shrink(schedule);
      t.ok(small.events.length <= schedule.events.length);
      t.ok(
        small.events.every((event) => schedule.events.includes(event)),
        'each is one of them',
      );
      const run = await runSchedule(small, true);
      t.equal(run.violation?.rule, first.violation!.rule);
      t.same(told(await runSchedule(small, true)), told(run), 'and it replays exactly, too');
    });
  });
}
