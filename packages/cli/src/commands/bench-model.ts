import { readFileSync } from 'node:fs';
import { costsOf, modelOf, readComparison, textModel } from '@pinwheel/bench';
import { PinwheelError } from '@pinwheel/protocol';
import { benchOptions, countOf } from '../bench-settings.js';
import type { Command, Invocation } from '../command.js';
import { given } from '../given.js';
import { options } from '../options.js';

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
  run: benchModel,
};

async function benchModel({ settings, output }: Invocation): Promise<number> {
  const from = settings.text(benchOptions.from);
  const result = modelOf(
    {
      users: countOf(settings, benchOptions.modelUsers) ?? 50_000_000,
      nodes: countOf(settings, benchOptions.modelNodes) ?? 500,
      edges: countOf(settings, benchOptions.modelEdges) ?? 200,
      messagesPerSecond: countOf(settings, benchOptions.messagesPerSecond) ?? 2_000_000,
      ...given('payloadBytes', settings.number(benchOptions.payload)),
      ...given('coresPerMachine', settings.number(benchOptions.cores)),
      ...given('networkGbitPerSecond', settings.number(benchOptions.networkGbit)),
      ...given('queueCores', settings.number(benchOptions.queueCores)),
      ...given('maxConnectionsPerProcess', countOf(settings, benchOptions.maxConnections)),
      ...given('leaseSeconds', settings.number(benchOptions.leaseSeconds)),
    },
    from === undefined ? undefined : costsOf(readComparison(readJson(from))),
  );
  output.result(result, textModel(result));
  return 0;
}

function readJson(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch (cause) {
    const why = `--from is ${file}, which cannot be read: ${(cause as Error).message}`;
    throw new PinwheelError('bad-option', why, { cause });
  }
}
