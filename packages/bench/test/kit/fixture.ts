import {
  type Comparison,
  type Conditions,
  type Contender,
  type CpuMicros,
  contenders,
  type Phase,
  phases,
  type Run,
  type TimelineSecond,
} from '../../src/result.js';

/** Costs per message as a function of the nodes, from which the runs are made: what a test must find again. */
export interface TrueCost {
  readonly copies: (nodes: number) => number;
  /** Beyond the payload, in bytes per copy. */
  readonly overhead: number;
  readonly sender: number;
  readonly queue?: (nodes: number) => number;
  readonly nodes: (nodes: number) => number;
  readonly edges: number;
}

export const trueCosts: Readonly<Record<Contender, TrueCost>> = {
  ring: { copies: () => 1, overhead: 60, sender: 1.2, nodes: () => 1.6, edges: 1.4 },
  registry: { copies: () => 2, overhead: 70, sender: 2.5, queue: () => 4, nodes: () => 1.8, edges: 1.4 },
  broadcast: {
    copies: (nodes) => nodes + 1,
    overhead: 66,
    sender: 1,
    queue: (nodes) => 0.5 + 0.25 * nodes,
    nodes: (nodes) => 1.6 + 0.35 * nodes,
    edges: 1.4,
  },
  'broadcast-unbatched': {
    copies: (nodes) => nodes + 1,
    overhead: 80,
    sender: 11,
    queue: (nodes) => 5 + 4.5 * nodes,
    nodes: (nodes) => 6 * nodes,
    edges: 1.4,
  },
};

export const fixtureConditions: Conditions = {
  date: '2026-11-25T10:00:00.000Z',
  pinwheel: '0.1.0',
  node: 'v20.18.0',
  platform: 'linux x64',
  cpu: 'Example CPU @ 2.50GHz',
  cores: 8,
  memoryBytes: 32 * 2 ** 30,
  queue: 'redis 7.0.15',
  payloadBytes: 128,
  users: 10_000,
  rate: 20_000,
  steadySeconds: 20,
  saturationSeconds: 10,
  outstanding: 1000,
  rounds: 3,
  edges: 1,
  strategies: contenders,
  nodeCounts: [3, 5, 10],
  missing: [],
};

/**
 * What a comparison could have measured: three rounds, 3, 5 and 10 nodes, every contender and phase. The rounds lie 3 %
 * below, at and 3 % above the true costs.
 */
export function fixtureComparison(changes: Partial<Conditions> = {}): Comparison {
  const conditions = { ...fixtureConditions, ...changes };
  const runs: Run[] = [];
  for (let round = 1; round <= conditions.rounds; round++) {
    for (const nodes of conditions.nodeCounts) {
      for (const strategy of conditions.strategies) {
        for (const phase of phases) runs.push(fixtureRun(strategy, nodes, phase, round, conditions));
      }
    }
  }
  return { conditions, runs };
}

/** The same comparison with each run as `change` makes it; `undefined` leaves it out. */
export function withRuns(comparison: Comparison, change: (run: Run) => Run | undefined): Comparison {
  return { ...comparison, runs: comparison.runs.map(change).filter((run) => run !== undefined) };
}

/** A run without some of what it measured. */
export function without(run: Run, ...names: readonly (keyof Run)[]): Run {
  return Object.fromEntries(
    Object.entries(run).filter(([name]) => !names.some((left) => left === name)),
  ) as unknown as Run;
}

function fixtureRun(
  strategy: Contender,
  nodes: number,
  phase: Phase,
  round: number,
  conditions: Conditions,
): Run {
  const cost = trueCosts[strategy];
  const factor = 1 + 0.03 * (((round - 1) % 3) - 1);
  const cpu = cpuOf(cost, nodes, factor);
  const perSecond = phase === 'saturation' ? Math.round(700_000 / cpu.total) : conditions.rate;
  const seconds = phase === 'saturation' ? conditions.saturationSeconds : conditions.steadySeconds;
  const sent = perSecond * seconds;
  const lost = phase === 'kill' ? Math.round((strategy === 'ring' ? 40 : 900) * factor) : 0;
  const copies = cost.copies(nodes);
  const delivered = sent - lost;
  return {
    strategy,
    nodes,
    phase,
    round,
    sent,
    delivered,
    lost,
    duplicated: phase === 'drain' && strategy !== 'ring' ? 12 : 0,
    refused: 0,
    deliveriesPerSecond: perSecond,
    messagesBetweenProcesses: copies * delivered,
    bytesBetweenProcesses: copies * delivered * (conditions.payloadBytes + cost.overhead),
    generatorBusy: 0.4,
    ...(phase === 'steady' || phase === 'saturation'
      ? { cpuMicrosPerDelivery: cpu, memoryBytes: { sender: 9e7, nodes: nodes * 8e7 } }
      : changeOf(strategy, nodes, phase, factor, conditions)),
    ...(phase === 'steady' ? latencyOf(cpu.total, factor) : {}),
  };
}

function cpuOf(cost: TrueCost, nodes: number, factor: number): CpuMicros {
  const queue = cost.queue?.(nodes);
  const total = cost.sender + (queue ?? 0) + cost.nodes(nodes) + cost.edges;
  return {
    total: total * factor,
    sender: cost.sender * factor,
    ...(queue === undefined ? {} : { queue: queue * factor }),
    nodes: cost.nodes(nodes) * factor,
    edges: cost.edges * factor,
  };
}

function latencyOf(cpu: number, factor: number): Pick<Run, 'latencyMs' | 'latencyCurve'> {
  const at = (share: number) => factor * (0.6 + cpu / 30) * (1 + 0.5 * Math.log10(1 / (1 - share)) ** 1.8);
  const shares = [0, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.995, 0.999, 0.9995, 0.9999, 0.99999];
  return {
    latencyMs: { p50: at(0.5), p99: at(0.99), p999: at(0.999), max: at(0.99999) },
    latencyCurve: [...shares.map((share) => [share, at(share)] as const), [1, at(0.99999)]],
  };
}

function changeOf(
  strategy: Contender,
  nodes: number,
  phase: Phase,
  factor: number,
  { users, rate }: Conditions,
): Pick<Run, 'disturbedUsers' | 'secondsToSteady' | 'timeline'> {
  const isMoved = phase !== 'join' || strategy === 'ring';
  const seconds = (phase === 'kill' ? 4 : 1.5) * (strategy === 'ring' ? 1 : 1.6) * factor;
  const dip = phase === 'join' ? 0.03 : 1 / nodes;
  const timeline = Array.from({ length: 20 }, (_, i): TimelineSecond => {
    const second = i - 5;
    const isDown = second >= 0 && second < seconds;
    const isBack = second >= seconds && second < seconds + 1;
    const share = isDown ? 1 - dip : isBack && phase === 'drain' ? 1 + dip : 1;
    return { second, sent: rate, delivered: Math.round(rate * share), p99Ms: isDown ? 80 * factor : 2 };
  });
  return {
    disturbedUsers: isMoved ? Math.round((users / nodes) * factor) : 0,
    secondsToSteady: seconds,
    timeline,
  };
}
