import { PinwheelError } from '@pinwheel/protocol';
import {
  type Comparison,
  type Conditions,
  type CpuMicros,
  contenders,
  type LatencyMs,
  phases,
  type Run,
  type TimelineSecond,
} from '../result.js';
import { amount, badField, list, oneOf, type ReadField, record, whole, words } from './read-field.js';

const maxNodes = 100_000;
const maxRuns = 100_000;
const maxPoints = 100_000;

const cpu = record<CpuMicros>(
  { total: amount(), sender: amount(), nodes: amount() },
  { queue: amount(), edges: amount() },
);

const latency = record<LatencyMs>({ p50: amount(), p99: amount(), p999: amount(), max: amount() }, {});

const memory = record<NonNullable<Run['memoryBytes']>>(
  { sender: amount(), nodes: amount() },
  { queue: amount() },
);

const timelineSecond = record<TimelineSecond>(
  { second: second(), sent: amount(), delivered: amount() },
  { p99Ms: amount() },
);

const run = record<Run>(
  {
    strategy: oneOf(contenders),
    nodes: whole(1, maxNodes),
    phase: oneOf(phases),
    round: whole(1, 1000),
    sent: whole(),
    delivered: whole(),
    lost: whole(),
    duplicated: whole(),
    refused: whole(),
    deliveriesPerSecond: amount(),
  },
  {
    nodesBefore: whole(1, maxNodes),
    disturbedUsers: whole(),
    secondsToSteady: amount(),
    messagesBetweenProcesses: amount(),
    bytesBetweenProcesses: amount(),
    cpuMicrosPerDelivery: cpu,
    latencyMs: latency,
    latencyCurve: curve(),
    timeline: list(timelineSecond, maxPoints),
    memoryBytes: memory,
    generatorBusy: amount(1000),
  },
);

const conditions = record<Conditions>(
  {
    date: date(),
    pinwheel: words(),
    node: words(),
    platform: words(),
    cpu: words(),
    cores: whole(1),
    memoryBytes: amount(),
    payloadBytes: whole(),
    users: whole(1),
    rate: amount(),
    steadySeconds: amount(),
    saturationSeconds: amount(),
    outstanding: whole(),
    rounds: whole(1, 1000),
    edges: whole(),
    strategies: list(oneOf(contenders), contenders.length),
    nodeCounts: list(whole(1, maxNodes), 1000),
    missing: list(words(), 1000),
  },
  { queue: words(), warmUp: whole() },
);

const comparison = record<Comparison>({ conditions, runs: list(run, maxRuns) }, {});

/**
 * Takes parsed JSON, as `pinwheel bench --json` wrote it, as a comparison. Fields that are not known are left out.
 *
 * @throws PinwheelError `bad-request` that names the field, its value and what it must be.
 */
export function readComparison(value: unknown): Comparison {
  const read = comparison(value, '');
  const seen = new Set<string>();
  for (const [i, { strategy, nodes, phase, round }] of read.runs.entries()) {
    const place = `${strategy}, ${nodes} nodes, ${phase}, round ${round}`;
    if (seen.has(place)) {
      throw new PinwheelError('bad-request', `runs[${i}] is ${place} again; each run must come once`);
    }
    seen.add(place);
  }
  return read;
}

function date(): ReadField<string> {
  const text = words(40);
  return (value, path) => {
    const read = text(value, path);
    if (!/^\d{4}-\d{2}-\d{2}/.test(read) || Number.isNaN(Date.parse(read))) {
      throw badField(path, value, 'a date by ISO 8601');
    }
    return read;
  };
}

function second(): ReadField<number> {
  return (value, path) => {
    if (typeof value === 'number' && Math.abs(value) <= 1e6) return value;
    throw badField(path, value, 'a number between -1000000 and 1000000');
  };
}

function curve(): ReadField<readonly (readonly [share: number, ms: number])[]> {
  const share = amount(1);
  const ms = amount();
  const points = list((value, path): readonly [number, number] => {
    if (!Array.isArray(value) || value.length !== 2) throw badField(path, value, 'a pair [share, ms]');
    return [share(value[0], `${path}[0]`), ms(value[1], `${path}[1]`)];
  }, maxPoints);
  return (value, path) => {
    const read = points(value, path);
    for (const [i, [at]] of read.entries()) {
      const before = i === 0 ? 0 : read[i - 1]![0];
      if (at < before) throw badField(`${path}[${i}][0]`, at, `a number between ${before} and 1`);
    }
    return read;
  };
}
