import { runSchedule } from './run-schedule.js';
import type { Schedule } from './schedule.js';

/**
 * Leaves out events as long as the same promise is broken: first large parts, then smaller ones, then single events.
 * @param say has what it is at.
 */
export async function shrink(schedule: Schedule, say: (text: string) => void = () => {}): Promise<Schedule> {
  const first = (await runSchedule(schedule)).violation;
  if (first === undefined) return schedule;
  let best = schedule;
  for (let size = Math.ceil(best.events.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let at = best.events.length - size; at >= -size + 1; at -= size) {
      const events = best.events.filter((_, i) => i < at || i >= at + size);
      if (events.length === best.events.length) continue;
      const { violation } = await runSchedule({ ...best, events });
      if (violation?.rule === first.rule) best = { ...best, events };
    }
    say(`${best.events.length} events are left of ${schedule.events.length}`);
  }
  return best;
}
