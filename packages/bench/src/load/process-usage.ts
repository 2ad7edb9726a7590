import { readdirSync, readFileSync } from 'node:fs';

const microsPerTick = 10_000;
/** Places of a process's own time, in user and kernel mode, and of the same of its children that have ended. */
const own = [11, 12];
const withChildren = [...own, 13, 14];

/** CPU time that a process has taken so far, all threads and the kernel's work for it included; to 10 ms. */
export function cpuMicrosOf(pid: number): number {
  return ticks(String(pid), own) * microsPerTick;
}

/**
 * CPU time of all processes of the machine so far. What the kernel says of the whole machine is guessed from who runs
 * when it looks, and misses whoever runs between its looks, as a process with timers does.
 */
export function allCpuMicros(): number {
  let sum = 0;
  for (const name of readdirSync('/proc')) if (/^\d/.test(name)) sum += ticks(name, withChildren);
  return sum * microsPerTick;
}

/** 0 for a process that is gone. */
function ticks(pid: string, places: readonly number[]): number {
  let line: string;
  try {
    line = readFileSync(`/proc/${pid}/stat`, 'latin1');
  } catch {
    return 0;
  }
  // behind the name, which may hold spaces
  const fields = line.slice(line.lastIndexOf(')') + 2).split(' ');
  return places.reduce((sum, place) => sum + Number(fields[place]), 0);
}

export interface ProcessMemory {
  readonly residentKb: number;
  /** Pages shared with other processes count in parts. */
  readonly proportionalKb: number;
}

export function memoryOf(pid: number): ProcessMemory {
  const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'latin1');
  return { residentKb: kilobytes(rollup, 'Rss'), proportionalKb: kilobytes(rollup, 'Pss') };
}

/** What the kernel holds in small objects, sockets among them, for the whole machine. */
export function kernelObjectsKb(): number {
  return kilobytes(readFileSync('/proc/meminfo', 'latin1'), 'Slab');
}

function kilobytes(text: string, name: string): number {
  const found = new RegExp(`^${name}: +(\\d+) kB`, 'm').exec(text);
  if (found === null) throw new Error(`no ${name} in what the kernel says`);
  return Number(found[1]);
}

/** So many descriptors a process may have. */
export function maxDescriptors(): number {
  const found = /^Max open files +(\d+)/m.exec(readFileSync('/proc/self/limits', 'latin1'));
  return found === null ? 1024 : Number(found[1]);
}
