import { readFileSync } from 'node:fs';
import { costsOf, modelOf, readComparison, textModel } from '@pinwheel/bench';
import { PinwheelError } from '@pinwheel/protocol';
import type { Invocation } from '../command.js';
import { given } from '../settings/given.js';
import { benchOptions } from './bench-options.js';
import { countOf } from './bench-values.js';

/** Computes and says. */
export async function benchModel({ settings, output }: Invocation): Promise<number> {
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
