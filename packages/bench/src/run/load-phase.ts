import { pause } from '../load/pause.js';
import type { Run } from '../result.js';
import type { CheckedBenchOptions } from './bench-options.js';
import type { BenchService } from './bench-service.js';
import type { ClientsUsage, Latencies, Schedule } from './clients-questions.js';
import type { Begun, Load } from './sender-questions.js';
import { cpuBetween, memoryUsed, takeSnapshot } from './snapshot.js';
import { trafficSoFar } from './traffic.js';
import { type Truth, truthOf } from './truth.js';

/** Of each phase, in s, not measured: what the phase before has left behind. */
const settleSeconds = 0.4;
/** Of the steady phase's time, for full batches before anything is measured. */
const warmShare = 0.35;
/** More messages than the fixed rate has compile code sooner, if the machine can take them. */
const warmFactor = 5;
const mostWarm = 5000;
const leastWarm = 1000;
/** As many as can be delivered are so many, after that long, that numbers may run out. */
const longestWarmMs = 3000;
/** Nothing has come for so long: nothing more comes. */
const quietMs = 300;

export type PhaseResult = Omit<Run, 'strategy' | 'nodes' | 'phase' | 'round'>;

/**
 * A load that nobody measures, so that the first phase does not find cold processes: full batches first, then small ones,
 * which go other ways through the code. A service runs for weeks; code is compiled when it has run some thousand times.
 */
export async function warmUp(
  service: BenchService,
  { outstanding, rate, steadySeconds, warmUp }: CheckedBenchOptions,
): Promise<void> {
  await beginLoad(service, { kind: 'saturation', outstanding });
  await pause(Math.min(longestWarmMs, warmShare * steadySeconds * 1000));
  await endWarmUp(service);
  const perSecond = Math.max(leastWarm, Math.min(warmFactor * rate, mostWarm));
  await beginLoad(service, { kind: 'steady', perSecond });
  await pause(((warmUp * service.nodes.size) / perSecond) * 1000);
  await endWarmUp(service);
}

/** Clients tell the sender what has come only where it must know: to hear it all the time is work, too. */
export async function beginLoad(service: BenchService, load: Load): Promise<Begun> {
  await service.clients.ask({ kind: 'feedback', isWanted: load.kind === 'saturation' });
  return service.sender.ask<Begun>(load);
}

/** Messages at the fixed rate, each timed from when it was due. */
export async function steadyPhase(
  service: BenchService,
  { rate, steadySeconds }: CheckedBenchOptions,
): Promise<PhaseResult> {
  const { result, begun, to } = await measured(service, steadySeconds, { kind: 'steady', perSecond: rate });
  const from = begun.from + Math.ceil(settleSeconds * rate);
  const schedule: Schedule = {
    from,
    to,
    startMicros: begun.startMicros + ((from - begun.from) / rate) * 1e6,
    perSecond: rate,
  };
  const { latencyMs, curve } = await service.clients.ask<Latencies>({ kind: 'latencies', ...schedule });
  return { ...result, latencyMs, latencyCurve: curve };
}

/** As many messages as can be delivered, so many on their way at any time. */
export async function saturationPhase(
  service: BenchService,
  { outstanding, saturationSeconds }: CheckedBenchOptions,
): Promise<PhaseResult> {
  const { result } = await measured(service, saturationSeconds, { kind: 'saturation', outstanding });
  return result;
}

async function measured(
  service: BenchService,
  seconds: number,
  load: Load,
): Promise<{ readonly result: PhaseResult; readonly begun: Begun; readonly to: number }> {
  const trafficBefore = await trafficSoFar(service);
  const begun = await beginLoad(service, load);
  await pause(settleSeconds * 1000);
  const before = await takeSnapshot(service);
  await pause(seconds * 1000);
  const after = await takeSnapshot(service);
  const memoryBytes = await memoryUsed(service);
  const to = await endLoad(service);
  const trafficAfter = await trafficSoFar(service);
  const wallMs = after.atMs - before.atMs;
  const cpu = cpuBetween(before, after);
  return {
    result: {
      ...(await truthBetween(service, begun.from, to)),
      deliveriesPerSecond: ((after.received - before.received) / wallMs) * 1000,
      messagesBetweenProcesses: trafficAfter.copies - trafficBefore.copies,
      bytesBetweenProcesses: trafficAfter.bytes - trafficBefore.bytes,
      ...(cpu === undefined ? {} : { cpuMicrosPerDelivery: cpu }),
      ...(memoryBytes === undefined ? {} : { memoryBytes }),
      generatorBusy: (after.clientsMicros - before.clientsMicros) / 1000 / wallMs,
    },
    begun,
    to,
  };
}

/** Sends no more; resolves with the number after the last message when nothing more comes: what comes twice comes late. */
export async function endLoad(service: BenchService): Promise<number> {
  const to = await service.sender.ask<number>({ kind: 'end' });
  await untilQuiet(service);
  return to;
}

/** Nobody counts what comes twice here: it is over when as much has come as was sent. */
async function endWarmUp(service: BenchService): Promise<void> {
  const to = await service.sender.ask<number>({ kind: 'end' });
  await untilQuiet(service, to);
}

async function untilQuiet(service: BenchService, enough?: number): Promise<void> {
  let before = -1;
  for (;;) {
    const { received } = await service.clients.ask<ClientsUsage>({ kind: 'usage' });
    if (received === before || received === enough) return;
    before = received;
    await pause(quietMs);
  }
}

export async function truthBetween(service: BenchService, from: number, to: number): Promise<Truth> {
  const statuses = await service.sender.ask<Uint8Array>({ kind: 'statuses', from, to });
  return truthOf(statuses, await service.clients.ask<Uint8Array>({ kind: 'counts', from, to }));
}
