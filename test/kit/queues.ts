import { freePort } from '@pinwheel/bench/load/free-ports.js';
import { toolPath } from '../tools/fetch.js';
import type { Teardown } from './consul.js';
import { startProgram, type TestProgram } from './program.js';

export interface TestQueue extends TestProgram {
  readonly url: string;
}

/**
 * A real Redis that keeps everything in memory: when it is stopped all of it is gone.
 *
 * @param more words of its command line.
 */
export async function startRedis(t: Teardown, ...more: readonly string[]): Promise<TestQueue> {
  const port = await freePort();
  const words = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', ...more];
  const program = await startProgram(t, toolPath('redis-server'), words, port);
  return Object.assign(program, { url: `redis://127.0.0.1:${port}` });
}

/**
 * A real NATS server.
 *
 * @param config path of its configuration, which is read each time that it starts.
 */
export async function startNats(t: Teardown, config?: string): Promise<TestQueue> {
  const port = await freePort();
  const program = await startProgram(
    t,
    toolPath('nats-server'),
    ['-a', '127.0.0.1', '-p', String(port), ...(config === undefined ? [] : ['-c', config])],
    port,
  );
  return Object.assign(program, { url: `nats://127.0.0.1:${port}` });
}
