// Seeded schedules for the real mechanisms: `npm run simulate -- --seeds 100000 --from 1`; one again, with everything
// that happened: `npm run simulate -- --seed 17 --trace`. Ends with 1 when a promise was broken.
import { parseArgs } from 'node:util';
import { describeEvent } from './event.js';
import { type Kind, kinds, scheduleOf } from './generate.js';
import { runSchedule } from './run-schedule.js';
import { shrink } from './shrink.js';

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    seeds: { type: 'string', default: '1000' },
    from: { type: 'string', default: '1' },
    kind: { type: 'string', default: 'small' },
    trace: { type: 'boolean', default: false },
    shrink: { type: 'boolean', default: false },
    'keep-going': { type: 'boolean', default: false },
  },
});
const kind = kindOf(values.kind);
const progressEveryMs = 5000;

if (values.seed === undefined) await runMany(Number(values.from), Number(values.seeds));
else await runOne(Number(values.seed));

async function runOne(seed: number): Promise<void> {
  const given = scheduleOf(seed, kind);
  const schedule = values.shrink ? await shrink(given, (text) => console.log(text)) : given;
  const { violation, steps, trace } = await runSchedule(schedule, values.trace);
  for (const line of trace) console.log(line);
  if (values.shrink) {
    console.log(JSON.stringify(schedule.setup));
    for (const event of schedule.events) console.log(describeEvent(event));
  }
  console.log(
    `seed ${seed}, ${schedule.events.length} events, ${steps} steps: ${violation?.message ?? 'nothing broken'}`,
  );
  if (violation !== undefined) process.exitCode = 1;
}

async function runMany(from: number, count: number): Promise<void> {
  const start = performance.now();
  let saidAt = start;
  let steps = 0;
  const broken = new Map<string, number[]>();
  for (let seed = from; seed < from + count; seed++) {
    const run = await runSchedule(scheduleOf(seed, kind));
    steps += run.steps;
    if (run.violation !== undefined) {
      process.exitCode = 1;
      const { rule } = run.violation;
      const seeds = broken.get(rule);
      if (seeds === undefined) broken.set(rule, [seed]);
      else seeds.push(seed);
      console.log(`seed ${seed}: ${run.violation.message}`);
      if (!values['keep-going']) break;
    }
    const now = performance.now();
    if (now - saidAt > progressEveryMs) {
      saidAt = now;
      const each = (now - start) / (seed - from + 1);
      console.log(`${seed - from + 1} of ${count} schedules, ${steps} steps, ${each.toFixed(1)} ms each`);
    }
  }
  for (const [rule, seeds] of broken) console.log(`${seeds.length} × ${rule}: ${seeds.slice(0, 12)}`);
  console.log(
    `${broken.size === 0 ? 'nothing broken' : 'broken'}, ${steps} steps in ${((performance.now() - start) / 1000).toFixed(1)} s`,
  );
}

function kindOf(name: string): Kind {
  const kind = kinds.find((one) => one === name);
  if (kind === undefined) throw new Error(`--kind is one of ${kinds.join(', ')}, not ${name}`);
  return kind;
}
