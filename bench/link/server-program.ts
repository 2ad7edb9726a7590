import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { toolPath } from '../../test/tools/fetch.js';
import type { RunningProxy } from './proxy.js';

const startDeadlineMs = 10_000;
const maxOutput = 2000;

/** Starts a proxy that is somebody else's program and stays in the foreground; resolves when it takes connections. */
export async function startServerProgram(
  name: 'haproxy' | 'nginx',
  args: readonly string[],
  port: number,
): Promise<RunningProxy> {
  const child = spawn(toolPath(name), args, { stdio: ['ignore', 'ignore', 'pipe'] });
  let output = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    output = (output + text).slice(-maxOutput);
  });
  child.on('error', (error) => {
    output += error.message;
  });
  const stop = (): void => {
    child.kill('SIGTERM');
  };
  // whatever becomes of the sample, nothing stays behind
  process.once('exit', stop);
  const deadline = performance.now() + startDeadlineMs;
  while (!(await isListening(port))) {
    if (child.exitCode !== null) throw new Error(`${name} ended with ${child.exitCode}: ${output}`);
    if (performance.now() > deadline) throw new Error(`${name} does not listen on ${port}: ${output}`);
    await sleep(20);
  }
  const pid = child.pid!;
  return { port, pids: [pid, ...childrenOf(pid)], collect: async () => {}, stop };
}

function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

function childrenOf(pid: number): readonly number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1').trim();
  return children === '' ? [] : children.split(' ').map(Number);
}
