import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

/** One run's figures by name; the name carries the unit, as in `nsPerLookup`. */
export type Figures = Readonly<Record<string, number>>;

/** A script that measures once, in a process of its own, and ends with {@link hand}. */
export interface Contender {
  /** Shown in the table and in the JSON. */
  readonly name: string;
  /** The script, usually `new URL('./x-sample.ts', import.meta.url)`. */
  readonly script: URL;
  readonly args?: readonly string[];
  /** Of Node.js, beside those of this process; what it starts with `Child` has them, too. */
  readonly flags?: readonly string[];
  /** Added to the environment of this process. */
  readonly env?: Readonly<Record<string, string>>;
}

/** Called once by a contender's script: hands its figures to the bench. Other output belongs on stderr. */
export function hand(figures: Figures): void {
  process.stdout.write(`${JSON.stringify(figures)}\n`);
}

/**
 * Runs a contender in a fresh Node.js process, with the loader flags of this one, and returns what it handed over.
 * Whatever it has started and not ended is killed with it.
 *
 * @throws Error when it takes longer than `deadlineMs` (it is killed), fails, or hands over no figures.
 */
export async function runFresh(contender: Contender, deadlineMs: number): Promise<Figures> {
  const { name, script, args = [], flags = [], env } = contender;
  const child = spawn(process.execPath, [...process.execArgv, ...flags, fileURLToPath(script), ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, ...env },
    // a process group of its own
    detached: true,
  });
  const ended = new Promise<string>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => resolve(signal ?? `exit code ${code}`));
  });
  const killAll = (): void => killGroup(child.pid);
  const late = setTimeout(killAll, deadlineMs);
  const interrupted = (): void => {
    killAll();
    process.exit(1);
  };
  process.once('SIGINT', interrupted).once('SIGTERM', interrupted);
  try {
    const output = text(child.stdout);
    const how = await ended;
    killAll();
    if (how !== 'exit code 0') throw new Error(`${name} ended with ${how} (deadline ${deadlineMs} ms)`);
    const last = (await output).trimEnd().split('\n').at(-1) ?? '';
    const figures: unknown = last.startsWith('{') ? JSON.parse(last) : undefined;
    if (!isFigures(figures)) throw new Error(`${name} handed over ${JSON.stringify(last)}, not figures`);
    return figures;
  } finally {
    clearTimeout(late);
    process.off('SIGINT', interrupted).off('SIGTERM', interrupted);
  }
}

function killGroup(leader: number | undefined): void {
  try {
    if (leader !== undefined) process.kill(-leader, 'SIGKILL');
  } catch {
    // nobody of it is left
  }
}

function isFigures(value: unknown): value is Figures {
  return typeof value === 'object' && value !== null && Object.values(value).every(Number.isFinite);
}
