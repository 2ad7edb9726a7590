import { readFileSync } from 'node:fs';

const microsPerTick = 10_000;
const userAt = 11;
const systemAt = 12;

/** CPU time that a process has taken so far, all threads and the kernel's work for it included; to 10 ms. */
export function cpuMicrosOf(pid: number): number {
  const line = readFileSync(`/proc/${pid}/stat`, 'latin1');
  // behind the name, which may hold spaces
  const fields = line.slice(line.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[userAt]) + Number(fields[systemAt])) * microsPerTick;
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
