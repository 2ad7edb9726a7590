import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';

export interface Program {
  readonly pid: number;
  /** What it wrote on stderr last, for errors. */
  readonly lastWords: string;
  readonly hasEnded: boolean;
  signal(name: NodeJS.Signals): void;
  /** SIGKILL; resolves when it is gone. */
  kill(): Promise<void>;
}

const maxWords = 2000;
/** Still running: they end with this process, however it ends. */
const running = new Set<ChildProcess>();

process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/** Starts a program whose output nobody reads. */
export function startProgram(path: string, words: readonly string[]): Program {
  // a group of its own: Ctrl-C is for the bench, which ends what it has started
  const child = spawn(path, words, { stdio: ['ignore', 'ignore', 'pipe'], detached: true });
  running.add(child);
  let lastWords = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    lastWords = (lastWords + text).slice(-maxWords);
  });
  child.on('error', (error) => {
    lastWords += error.message;
  });
  const ended = once(child, 'exit').finally(() => running.delete(child));
  ended.catch(() => {});
  const hasEnded = (): boolean => child.exitCode !== null || child.signalCode !== null;
  return {
    get pid() {
      return child.pid ?? 0;
    },
    get lastWords() {
      return lastWords;
    },
    get hasEnded() {
      return hasEnded();
    },
    signal: (name) => void child.kill(name),
    async kill() {
      if (hasEnded() || child.pid === undefined) return;
      child.kill('SIGKILL');
      await ended;
    },
  };
}
