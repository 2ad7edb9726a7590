import fc from 'fast-check';
import t from 'tap';
import { schedule, Wandering } from './kit/wandering.js';

const numRuns = Number(process.env['WANDERING_RUNS'] ?? 25);

t.test('rings change, calls are lost and late, links break: in the end all is where it belongs', async () => {
  await fc.assert(
    fc.asyncProperty(schedule, async ({ seed, steps }) => {
      const world = new Wandering(seed);
      await world.start();
      for (const step of steps) await world.do(step);
      await world.settle();
      const faults = world.faults();
      for (const { holder } of world.cluster.nodes) holder.stop();
      if (faults.length > 0) throw new Error(faults.join('\n'));
    }),
    { numRuns },
  );
});
