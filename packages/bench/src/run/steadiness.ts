import type { ArrivalSlice } from './clients-questions.js';

/** A message is late when it takes this many times as long as the slowest tenth of a second before the change, … */
const timesBefore = 2;
/** … and this much at least, in ms. */
const leastLateMs = 20;

/**
 * From the change until the first second in which every message came, none late; to a slice's length. `undefined`: there
 * was no such second.
 *
 * @param slices of equal length, from the first message on.
 * @param changedAt in s after the first message.
 */
export function secondsToSteady(
  slices: readonly ArrivalSlice[],
  slicesPerSecond: number,
  changedAt: number,
): number | undefined {
  const first = Math.floor(changedAt * slicesPerSecond);
  // the first second is for code to be compiled
  const before = slices.slice(slicesPerSecond, first);
  const lateMs = Math.max(leastLateMs, timesBefore * Math.max(...before.map(({ p99Ms = 0 }) => p99Ms)));
  const isWell = ({ due, arrived, p99Ms = 0 }: ArrivalSlice): boolean => arrived === due && p99Ms <= lateMs;
  let well = 0;
  for (let i = first; i < slices.length; i++) {
    well = isWell(slices[i]!) ? well + 1 : 0;
    if (well === slicesPerSecond) return (i + 1 - slicesPerSecond - first) / slicesPerSecond;
  }
  return undefined;
}
