import { benchOptions } from '../bench/bench-options.js';
import type { Command } from '../command.js';

export const benchCommand: Command = {
  name: 'bench',
  summary: 'compares the strategies on this machine: real processes, every delivery checked',
  options: [
    benchOptions.strategies,
    benchOptions.nodeCounts,
    benchOptions.users,
    benchOptions.rate,
    benchOptions.payload,
    benchOptions.rounds,
    benchOptions.phases,
    benchOptions.steadySeconds,
    benchOptions.saturationSeconds,
    benchOptions.changeSeconds,
    benchOptions.outstanding,
    benchOptions.warmUp,
    benchOptions.edges,
    benchOptions.redis,
    benchOptions.quick,
    benchOptions.jsonFile,
    benchOptions.htmlFile,
  ],
  // what draws its reports would make every other command start late
  run: async (invocation) => (await import('../bench/run-bench.js')).bench(invocation),
};
