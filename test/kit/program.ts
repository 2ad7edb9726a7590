import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { takesConnections } from '@pinwheel/bench/load/takes-connections.js';
import type { Teardown } from './consul.js';
import { standStill } from './stand-still.js';
import { until } from './until.js';

/** A server program on one port, which can be killed, started again, and stopped for a while. */
export interface TestProgram {
  readonly port: number;
  readonly pid: number;
  /** SIGKILL; resolves when it is gone. */
  stop(): Promise<void>;
  /** Anew, on the same port, after `stop`. */
  start(): Promise<void>;
  /** Stands still: connections are accepted, nothing is answered. */
  pause(): Promise<void>;
  resume(): void;
}

/** Resolves when it takes connections. It ends with the test. */
export async function startProgram(
  t: Teardown,
  path: string,
  words: readonly string[],
  port: number,
): Promise<TestProgram> {
  let child: ChildProcess | undefined;
  const program: TestProgram = {
    port,
    get pid() {
      return child!.pid!;
    },
    async stop() {
      if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
      const gone = once(child, 'exit');
      child.kill('SIGKILL');
      await gone;
    },
    async start() {
      const started = spawn(path, words, { stdio: 'ignore' });
      child = started;
      await until(`${path} takes connections`, () => {
        if (started.exitCode !== null) throw new Error(`it ended with ${started.exitCode}`);
        return takesConnections(port);
      });
    },
    pause: () => standStill(child!),
    resume: () => void child?.kill('SIGCONT'),
  };
  t.teardown(() => program.stop());
  await program.start();
  return program;
}
