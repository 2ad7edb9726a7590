import { cpus, totalmem } from 'node:os';
import { PinwheelError } from '@pinwheel/protocol';
import type { Comparison, Conditions, Contender, Phase, Run } from '../result.js';
import { type BenchOptions, type CheckedBenchOptions, checkBenchOptions } from './bench-options.js';
import { BenchService } from './bench-service.js';
import { changePhase } from './change-phase.js';
import { type PhaseResult, saturationPhase, steadyPhase, warmUp } from './load-phase.js';
import { type BenchRedis, connectTo, findRedisServer, startOwnRedis } from './own-redis.js';
import { seesProcesses } from './snapshot.js';

/** Where a comparison is. */
export interface Progress {
  /** From 1. */
  readonly step: number;
  readonly steps: number;
  readonly strategy: Contender;
  readonly nodes: number;
  readonly round: number;
  readonly phase: Phase | 'start';
  /** What cannot be measured here, and why. */
  readonly missing: readonly string[];
}

const mostQuoted = 500;

/** What there is to report, and whether all of it was measured that could be. */
export interface Outcome {
  readonly comparison: Comparison;
  readonly isWhole: boolean;
}

/**
 * Compares the strategies on this machine: for each of them, each number of nodes and each round, fresh processes in
 * alternating order. Takes minutes. What it started ends with it, whatever happens. What fails is left out, and the conditions
 * name it among what is missing: the rest was measured all the same.
 *
 * @param signal ends it early, with what there is.
 * @throws PinwheelError (rejects) `bad-option`; when nothing was measured, `closed` or what failed.
 */
export async function runComparison(
  options: BenchOptions,
  version: string,
  progress: (progress: Progress) => void,
  signal: AbortSignal,
): Promise<Outcome> {
  const checked = checkBenchOptions(options);
  const date = new Date().toISOString();
  const missing = seesProcesses ? [] : ['CPU and memory of nodes are read from /proc, which only Linux has'];
  const runs: Run[] = [];
  const probe = await openRedis(checked, missing);
  const queue = probe?.version;
  await probe?.stop();
  const able = checked.strategies.filter((strategy) => strategy === 'ring' || probe !== undefined);
  const steps = checked.rounds * checked.nodeCounts.length * able.length;
  let failure: PinwheelError | undefined;
  for (const [i, { strategy, nodes, round }] of servicesOf(checked, able).entries()) {
    if (signal.aborted) break;
    try {
      await oneService(strategy, nodes, checked, signal, {
        began: (phase) => progress({ step: i + 1, steps, strategy, nodes, round, phase, missing }),
        ended: (phase, result) => runs.push({ strategy, nodes, phase, round, ...result }),
      });
    } catch (thrown) {
      failure = PinwheelError.from(thrown);
      if (!signal.aborted)
        missing.push(`${strategy}, ${nodes} nodes, round ${round}: ${failure.message.slice(0, mostQuoted)}`);
    }
  }
  if (signal.aborted) {
    failure = new PinwheelError('closed', 'the bench was ended before it was done');
    missing.push(failure.message);
  }
  if (runs.length === 0 && failure !== undefined) throw failure;
  const conditions = conditionsOf(checked, { date, version, queue, missing, able });
  return { comparison: { conditions, runs }, isWhole: failure === undefined };
}

interface OneOf {
  readonly strategy: Contender;
  readonly nodes: number;
  readonly round: number;
}

/** Whoever goes first finds another machine than whoever goes last: they take turns. */
function servicesOf(
  { rounds, nodeCounts }: CheckedBenchOptions,
  able: readonly Contender[],
): readonly OneOf[] {
  return Array.from({ length: rounds }, (_, i) =>
    nodeCounts.flatMap((nodes) => rotated(able, i).map((strategy) => ({ strategy, nodes, round: i + 1 }))),
  ).flat();
}

interface Phases {
  readonly began: (phase: Progress['phase']) => void;
  readonly ended: (phase: Phase, result: PhaseResult) => void;
}

async function oneService(
  strategy: Contender,
  nodes: number,
  options: CheckedBenchOptions,
  signal: AbortSignal,
  phases: Phases,
): Promise<void> {
  phases.began('start');
  const redis = strategy === 'ring' ? undefined : await openRedis(options, []);
  try {
    const service = await BenchService.start(strategy, nodes, options, redis);
    try {
      await warmUp(service, options);
      for (const phase of options.phases) {
        if (signal.aborted) return;
        phases.began(phase);
        phases.ended(phase, await onePhase(phase, service, options));
      }
    } finally {
      await service.stop();
    }
  } finally {
    await redis?.stop();
  }
}

function onePhase(phase: Phase, service: BenchService, options: CheckedBenchOptions): Promise<PhaseResult> {
  switch (phase) {
    case 'steady':
      return steadyPhase(service, options);
    case 'saturation':
      return saturationPhase(service, options);
    default:
      return changePhase(service, phase, options);
  }
}

/** The one that was named, else one that is started; `undefined` when there is none, and `missing` says so. */
async function openRedis(
  { redis, strategies }: CheckedBenchOptions,
  missing: string[],
): Promise<BenchRedis | undefined> {
  if (strategies.every((strategy) => strategy === 'ring')) return undefined;
  if (redis !== undefined) return connectTo(redis);
  const program = findRedisServer();
  if (program !== undefined) return startOwnRedis(program);
  missing.push(
    'registry and broadcast are not run: redis-server is not installed; install it, or give --redis URL',
  );
  return undefined;
}

function rotated<T>(list: readonly T[], by: number): readonly T[] {
  const at = by % Math.max(1, list.length);
  return [...list.slice(at), ...list.slice(0, at)];
}

interface Found {
  readonly date: string;
  readonly version: string;
  readonly queue: string | undefined;
  readonly missing: readonly string[];
  readonly able: readonly Contender[];
}

function conditionsOf(options: CheckedBenchOptions, found: Found): Conditions {
  const { date, version, queue, missing, able } = found;
  const { payloadBytes, users, rate, steadySeconds, saturationSeconds, outstanding, rounds, edges, warmUp } =
    options;
  const [first] = cpus();
  return {
    date,
    pinwheel: version,
    node: process.version,
    platform: `${process.platform} ${process.arch}`,
    cpu: first?.model ?? 'unknown',
    cores: cpus().length,
    memoryBytes: totalmem(),
    ...(queue === undefined ? {} : { queue }),
    ...{ payloadBytes, users, rate, steadySeconds, saturationSeconds, outstanding, rounds, edges, warmUp },
    strategies: able,
    nodeCounts: options.nodeCounts,
    missing,
  };
}
