import { sharedMicros } from '../load/arrivals.js';
import { pause } from '../load/pause.js';
import type { Change, TimelineSecond } from '../result.js';
import type { CheckedBenchOptions } from './bench-options.js';
import type { BenchService } from './bench-service.js';
import type { ArrivalSlice, ClientsUsage, Schedule } from './clients-questions.js';
import { beginLoad, endLoad, type PhaseResult, truthBetween } from './load-phase.js';
import { secondsToSteady } from './steadiness.js';

const secondsBefore = 3;
/** Slices by which it is judged when all is well again. */
export const slicesPerSecond = 10;

/** A change of the nodes under the fixed rate. */
export async function changePhase(
  service: BenchService,
  change: Change,
  { rate, changeSeconds }: CheckedBenchOptions,
): Promise<PhaseResult> {
  const nodesBefore = service.nodes.size;
  const closedBefore = (await service.clients.ask<ClientsUsage>({ kind: 'usage' })).closed.length;
  const { from, startMicros } = await beginLoad(service, { kind: 'steady', perSecond: rate });
  await pause(secondsBefore * 1000);
  const changedMicros = sharedMicros();
  await makeChange(service, change);
  await pause(Math.max(0, changeSeconds * 1000 - (sharedMicros() - changedMicros) / 1000));
  const to = await endLoad(service);
  await service.left();
  const schedule: Schedule = { from, to, startMicros, perSecond: rate };
  const slices = await service.clients.ask<readonly ArrivalSlice[]>({
    kind: 'timeline',
    slicesPerSecond,
    ...schedule,
  });
  const { closed } = await service.clients.ask<ClientsUsage>({ kind: 'usage' });
  const truth = await truthBetween(service, from, to);
  const changedAt = (changedMicros - startMicros) / 1e6;
  const steady = secondsToSteady(slices, slicesPerSecond, changedAt);
  return {
    ...truth,
    deliveriesPerSecond: truth.delivered / ((to - from) / rate),
    nodesBefore,
    disturbedUsers: new Set(closed.slice(closedBefore)).size,
    ...(steady === undefined ? {} : { secondsToSteady: steady }),
    timeline: timelineOf(slices, changedAt),
  };
}

async function makeChange(service: BenchService, change: Change): Promise<void> {
  const ids = [...service.nodes.keys()];
  const first = ids[0]!;
  switch (change) {
    case 'join':
      return service.join(`n${Number(ids.at(-1)!.slice(1)) + 1}`);
    case 'drain':
      return service.drain(first);
    case 'kill': {
      const { program } = service.nodes.get(first)!;
      service.nodes.delete(first);
      return program.kill();
    }
    default:
      throw new TypeError(`unknown change ${change satisfies never}`);
  }
}

/** @param changedAt in s; the tenth of a second that holds it is the first one from the change on. */
export function timelineOf(slices: readonly ArrivalSlice[], changedAt: number): readonly TimelineSecond[] {
  const first = Math.floor(changedAt * slicesPerSecond);
  const seconds = new Map<number, ArrivalSlice[]>();
  for (const [i, slice] of slices.entries()) {
    const second = Math.floor((i - first) / slicesPerSecond);
    const known = seconds.get(second);
    if (known === undefined) seconds.set(second, [slice]);
    else known.push(slice);
  }
  return [...seconds].map(([second, parts]) => {
    const p99s = parts.flatMap(({ p99Ms }) => (p99Ms === undefined ? [] : [p99Ms]));
    return {
      second,
      sent: parts.reduce((sum, { due }) => sum + due, 0),
      delivered: parts.reduce((sum, { arrived }) => sum + arrived, 0),
      ...(p99s.length === 0 ? {} : { p99Ms: Math.max(...p99s) }),
    };
  });
}
