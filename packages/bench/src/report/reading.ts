import type { Run } from '../result.js';

type Read = (run: Run) => number | undefined;

/** What is read from one run; `undefined` when the run did not measure it. */
export const reading = {
  deliveriesPerSecond: (run) => run.deliveriesPerSecond,
  messagesPerDelivery: (run) => perDelivery(run.messagesBetweenProcesses, run),
  bytesPerDelivery: (run) => perDelivery(run.bytesBetweenProcesses, run),
  cpu: (run) => run.cpuMicrosPerDelivery?.total,
  cpuSender: (run) => run.cpuMicrosPerDelivery?.sender,
  cpuQueue: (run) => run.cpuMicrosPerDelivery?.queue,
  cpuNodes: (run) => run.cpuMicrosPerDelivery?.nodes,
  cpuEdges: (run) => run.cpuMicrosPerDelivery?.edges,
  p50: (run) => run.latencyMs?.p50,
  p99: (run) => run.latencyMs?.p99,
  p999: (run) => run.latencyMs?.p999,
  max: (run) => run.latencyMs?.max,
  nodesBefore: (run) => run.nodesBefore,
  undelivered: (run) => run.sent - run.delivered,
  lost: (run) => run.lost,
  duplicated: (run) => run.duplicated,
  refused: (run) => run.refused,
  disturbedUsers: (run) => run.disturbedUsers,
  secondsToSteady: (run) => run.secondsToSteady,
  generatorBusy: (run) => run.generatorBusy,
} as const satisfies Record<string, Read>;

export type Reading = keyof typeof reading;

export const readings = Object.keys(reading) as readonly Reading[];

function perDelivery(count: number | undefined, run: Run): number | undefined {
  return count === undefined || run.delivered === 0 ? undefined : count / run.delivered;
}
