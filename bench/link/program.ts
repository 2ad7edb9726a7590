import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { takesConnections } from '@pinwheel/bench/load/takes-connections.js';

/** A program that stays in the foreground and listens. */
export interface Program {
  readonly port: number;
  /** Of all its processes. */
  readonly pids: readonly number[];
  /** Does not wait for its end. */
  signal(signal: NodeJS.Signals): void;
}

const startDeadlineMs = 20_000;
const maxOutput = 2000;

/** Resolves when it takes connections on `port`. It ends with this process, if need be. */
export async function startProgram(path: string, args: readonly string[], port: number): Promise<Program> {
  const child = spawn(path, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  let output = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    output = (output + text).slice(-maxOutput);
  });
  child.on('error', (error) => {
    output += error.message;
  });
  process.once('exit', () => child.kill('SIGTERM'));
  const deadline = performance.now() + startDeadlineMs;
  while (!(await takesConnections(port))) {
    const late = performance.now() > deadline;
    if (late || child.exitCode !== null) {
      const what = late ? `does not listen on ${port}` : `ended with ${child.exitCode}`;
      throw new Error(`${path} ${args.join(' ')} ${what}: ${output}`);
    }
    await sleep(20);
  }
  const pid = child.pid!;
  return { port, pids: [pid, ...childrenOf(pid)], signal: (signal) => void child.kill(signal) };
}

function childrenOf(pid: number): readonly number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1').trim();
  return children === '' ? [] : children.split(' ').map(Number);
}
