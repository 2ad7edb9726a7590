import { checkWhole, PinwheelError } from '@pinwheel/protocol';
import { leastMessageBytes } from '../load/message-number.js';
import { type Change, type Contender, contenders, isChange, type Phase, phases } from '../result.js';

export interface BenchOptions {
  /** Default: all. */
  readonly strategies?: readonly Contender[];
  /** Default: 3, 5, 10. */
  readonly nodeCounts?: readonly number[];
  /** Connected users; default 1000. */
  readonly users?: number;
  /**
   * Messages per second of the phases with a fixed rate; default 1000. Above that some milliseconds have several, which
   * leave together: that suits whoever batches.
   */
  readonly rate?: number;
  /** Default 128. */
  readonly payloadBytes?: number;
  /** Default 3. */
  readonly rounds?: number;
  /** Default: all. */
  readonly phases?: readonly Phase[];
  /** Measured time of the steady phase, in s; default 8. */
  readonly steadySeconds?: number;
  /** Measured time of the saturated phase, in s; default 8. */
  readonly saturationSeconds?: number;
  /** Time from a change of the nodes until it is judged, in s; default 10. */
  readonly changeSeconds?: number;
  /**
   * Messages that are on their way at any time when saturated; default 16,384. Fewer hold back whoever could bring more: with
   * 4,096, a ring of ten nodes brings a third less.
   */
  readonly outstanding?: number;
  /**
   * Messages that each node has had one at a time before anything is measured, on average; default 4,000. With fewer, a ring's nodes,
   * each of which sees only its share, are measured before their code is compiled.
   */
  readonly warmUp?: number;
  /** Edges between clients and nodes, by links; default 0: clients connect to the nodes. */
  readonly edges?: number;
  /** A Redis to be used in place of one that the bench starts: `redis://…`. It must be otherwise idle. */
  readonly redis?: string;
  /** How `pinwheel` is run: a program and its first words. */
  readonly command: readonly [program: string, ...words: string[]];
}

export type CheckedBenchOptions = Required<Omit<BenchOptions, 'redis'>> & Pick<BenchOptions, 'redis'>;

/** Under 90 seconds on two cores: it shows the shape, and is too short to judge by. */
export const quickBench: Partial<BenchOptions> = {
  nodeCounts: [3, 10],
  rounds: 1,
  phases: ['steady', 'saturation'],
  steadySeconds: 2,
  saturationSeconds: 2,
  warmUp: 300,
};

/** @throws PinwheelError `bad-option` that names the option, the value and the bound. */
export function checkBenchOptions(options: BenchOptions): CheckedBenchOptions {
  const checked: CheckedBenchOptions = {
    strategies: inOrder(contenders, options.strategies ?? contenders, 'strategies'),
    nodeCounts: [...new Set(options.nodeCounts ?? [3, 5, 10])],
    users: options.users ?? 1000,
    rate: options.rate ?? 1000,
    payloadBytes: options.payloadBytes ?? 128,
    rounds: options.rounds ?? 3,
    phases: inOrder(phases, options.phases ?? phases, 'phases'),
    steadySeconds: options.steadySeconds ?? 8,
    saturationSeconds: options.saturationSeconds ?? 8,
    changeSeconds: options.changeSeconds ?? 10,
    outstanding: options.outstanding ?? 16_384,
    warmUp: options.warmUp ?? 4000,
    edges: options.edges ?? 0,
    command: options.command,
    ...(options.redis === undefined ? {} : { redis: options.redis }),
  };
  if (checked.nodeCounts.length === 0) throw bad('nodes is empty; it must name at least one number of nodes');
  for (const count of checked.nodeCounts) checkWhole('nodes', count, 1, 64);
  const leastNodes = Math.min(...checked.nodeCounts);
  const needed = nodesNeeded(checked.phases);
  if (leastNodes < needed) {
    const changes = checked.phases.filter(isChange).join(', ');
    throw bad(`nodes is ${leastNodes}; it must be at least ${needed} for ${changes}: one has to be left`);
  }
  checkWhole('users', checked.users, 1, 200_000);
  checkWhole('rate', checked.rate, 1, 1_000_000);
  checkWhole('payload', checked.payloadBytes, leastMessageBytes, 65_000);
  checkWhole('rounds', checked.rounds, 1, 100);
  checkWhole('steady-seconds', checked.steadySeconds, 1, 600);
  checkWhole('saturation-seconds', checked.saturationSeconds, 1, 600);
  checkWhole('change-seconds', checked.changeSeconds, 3, 600);
  checkWhole('outstanding', checked.outstanding, 1, 60_000);
  checkWhole('warm-up', checked.warmUp, 0, 100_000);
  checkWhole('edges', checked.edges, 0, 16);
  return checked;
}

const nodesAdded: Readonly<Record<Change, number>> = { join: 1, drain: -1, kill: -1 };

/** So that one node is left after each of the phases, which follow one another. */
function nodesNeeded(asked: readonly Phase[]): number {
  let change = 0;
  let least = 0;
  for (const phase of asked.filter(isChange)) {
    change += nodesAdded[phase];
    least = Math.min(least, change);
  }
  return 1 - least;
}

/** What is asked for, in the order of reports and each once. */
function inOrder<T extends string>(known: readonly T[], asked: readonly T[], name: string): readonly T[] {
  for (const one of asked) {
    if (!known.includes(one)) throw bad(`${name} has ${JSON.stringify(one)}; known: ${known.join(', ')}`);
  }
  if (asked.length === 0) throw bad(`${name} is empty; known: ${known.join(', ')}`);
  return known.filter((one) => asked.includes(one));
}

function bad(why: string): PinwheelError {
  return new PinwheelError('bad-option', why);
}
