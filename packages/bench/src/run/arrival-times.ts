import { build, type Histogram } from 'hdr-histogram-js';
import type { Arrivals } from '../load/arrivals.js';
import type { ArrivalSlice, Latencies, Schedule } from './clients-questions.js';

/** Of the curve of a distribution: 90 %, 99 %, 99.9 %, … and what is between. */
const sharesPerDecade = 8;
const decades = 5;

/** How long messages took from when they were due until they came; those that did not come are left out. */
export function latenciesOf(arrivals: Arrivals, schedule: Schedule): Latencies {
  const micros = newHistogram();
  for (let number = schedule.from; number < schedule.to; number++) record(micros, arrivals, schedule, number);
  const at = (percent: number): number => millisAt(micros, percent);
  return {
    latencyMs: { p50: at(50), p99: at(99), p999: at(99.9), max: micros.maxValue / 1000 },
    curve: shares().map((share) => [share, at(share * 100)] as const),
  };
}

/** The same in slices of time, from the first message on. */
export function slicesOf(
  arrivals: Arrivals,
  schedule: Schedule,
  slicesPerSecond: number,
): readonly ArrivalSlice[] {
  const perSlice = schedule.perSecond / slicesPerSecond;
  const slices: ArrivalSlice[] = [];
  const micros = newHistogram();
  for (let first = schedule.from; first < schedule.to; first += perSlice) {
    const from = Math.ceil(first);
    const to = Math.min(schedule.to, Math.ceil(first + perSlice));
    micros.reset();
    for (let number = from; number < to; number++) record(micros, arrivals, schedule, number);
    const arrived = micros.totalCount;
    const p99 = arrived === 0 ? {} : { p99Ms: millisAt(micros, 99) };
    slices.push({ due: to - from, arrived, ...p99 });
  }
  return slices;
}

function record(
  micros: Histogram,
  arrivals: Arrivals,
  { from, startMicros, perSecond }: Schedule,
  number: number,
): void {
  const came = arrivals.micros[number]!;
  if (came === 0) return;
  const due = startMicros + ((number - from) / perSecond) * 1e6;
  micros.recordValue(Math.max(1, Math.round(came - due)));
}

/** A histogram answers with the end of a value's bucket, which may lie beyond the greatest value. */
function millisAt(micros: Histogram, percent: number): number {
  return Math.min(micros.getValueAtPercentile(percent), micros.maxValue) / 1000;
}

function newHistogram(): Histogram {
  return build({
    lowestDiscernibleValue: 1,
    highestTrackableValue: 600_000_000,
    numberOfSignificantValueDigits: 3,
  });
}

function shares(): readonly number[] {
  const found = [0];
  for (let i = 1; i <= sharesPerDecade * decades; i++) found.push(1 - 10 ** (-i / sharesPerDecade));
  return found;
}
