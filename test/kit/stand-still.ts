import type { ChildProcess } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { until } from './until.js';

/**
 * SIGSTOP; resolves when every thread stands still. The signal is one thread's to pass on, and until that one has its turn
 * the others answer.
 */
export async function standStill(child: ChildProcess): Promise<void> {
  child.kill('SIGSTOP');
  const tasks = `/proc/${child.pid}/task`;
  await until('every thread stands still', () =>
    readdirSync(tasks).every((task) => stateOf(readFileSync(`${tasks}/${task}/stat`, 'latin1')) === 'T'),
  );
}

/** Behind the name, which may hold spaces. */
function stateOf(stat: string): string {
  return stat[stat.lastIndexOf(')') + 2]!;
}
