import { readFileSync } from 'node:fs';

/** What the whole machine has done since its start, in µs of CPU; read from `/proc`. */
export interface MachineLoad {
  readonly busyMicros: number;
  /** Taken by the hypervisor for others. */
  readonly stolenMicros: number;
}

const microsPerTick = 10_000;

export function machineLoad(): MachineLoad {
  const [user, nice, system, , , irq, softirq, steal] = readFileSync('/proc/stat', 'utf8')
    .split('\n', 1)[0]!
    .trim()
    .split(/\s+/)
    .slice(1)
    .map(Number) as [number, number, number, number, number, number, number, number];
  return {
    busyMicros: (user + nice + system + irq + softirq) * microsPerTick,
    stolenMicros: steal * microsPerTick,
  };
}
