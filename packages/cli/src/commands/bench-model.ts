import { benchOptions } from '../bench/bench-options.js';
import type { Command } from '../command.js';
import { options } from '../settings/options.js';

export const benchModelCommand: Command = {
  name: 'bench model',
  summary: 'what each strategy would take on more machines than one has, and what limits it first',
  options: [
    benchOptions.modelUsers,
    benchOptions.modelNodes,
    benchOptions.modelEdges,
    benchOptions.messagesPerSecond,
    benchOptions.payload,
    benchOptions.cores,
    benchOptions.networkGbit,
    benchOptions.queueCores,
    benchOptions.maxConnections,
    benchOptions.leaseSeconds,
    benchOptions.from,
    options.json,
  ],
  // what draws its reports would make every other command start late
  run: async (invocation) => (await import('../bench/run-bench-model.js')).benchModel(invocation),
};
