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

/**
 * Compares the strategies on this machine: for each of them, each number of nodes and each round, fresh processes in
 * alternating order. Takes minutes. What it started ends with it, whatever happens.
 *
 * @param signal ends it early.
 * @throws PinwheelError (rejects) `bad-option`; `closed` when it was ended; what a phase failed with.
 */
export async function runComparison(
  options: BenchOptions,
  version: string,
  progress: (progress: Progress) => void,
  signal: AbortSignal,
): Promise<Comparison> {
  const checked = checkBenchOptions(options);
  const date = new Date().toISOString();
  const missing = seesProcesses ? [] : ['CPU and memory of nodes are read from /proc, which only Linux has'];
  const runs: Run[] = [];
  const probe = await openRedis(checked, missing);
  const queue = probe?.version;
  await probe?.stop();
  const able = checked.strategies.filter((strategy) => strategy === 'ring' || probe !== undefined);
  const steps = checked.rounds * checked.nodeCounts.length * able.length;
  let step = 0;
  for (let round = 1; round <= checked.rounds; round++) {
    for (const nodes of checked.nodeCounts) {
      for (const strategy of rotated(able, round - 1)) {
        step++;
        const report = (phase: Progress['phase']): void =>
          progress({ step, steps, strategy, nodes, round, phase, missing });
        for (const [phase, result] of await oneService(strategy, nodes, checked, report, signal)) {
          runs.push({ strategy, nodes, phase, round, ...result });
        }
      }
    }
  }
  return { conditions: conditionsOf(checked, { date, version, queue, missing, able }), runs };
}

async function oneService(
  strategy: Contender,
  nodes: number,
  options: CheckedBenchOptions,
  report: (phase: Progress['phase']) => void,
  signal: AbortSignal,
): Promise<readonly (readonly [Phase, PhaseResult])[]> {
  const results: (readonly [Phase, PhaseResult])[] = [];
  report('start');
  refuseAborted(signal);
  const redis = strategy === 'ring' ? undefined : await openRedis(options, []);
  try {
    const service = await BenchService.start(strategy, nodes, options, redis);
    try {
      await warmUp(service, options);
      for (const phase of options.phases) {
        refuseAborted(signal);
        report(phase);
        results.push([phase, await onePhase(phase, service, options)]);
      }
    } finally {
      await service.stop();
    }
  } finally {
    await redis?.stop();
  }
  return results;
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

function refuseAborted(signal: AbortSignal): void {
  if (signal.aborted) throw new PinwheelError('closed', 'the bench was ended before it was done');
}

/** Whoever goes first finds another machine than whoever goes last: they take turns. */
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
