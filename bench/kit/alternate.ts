import { cpus, loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { type Bar, hold, type Round } from './bar.js';
import { type Contender, type Figures, runFresh } from './fresh-process.js';
import { spread } from './spread.js';
import { type Result, type Row, table } from './table.js';

export interface Bench {
  /** The one question that it answers. */
  readonly question: string;
  /** What somebody might read into the figures, and would be wrong to. */
  readonly doesNotMean: string;
  /** The subject, then its references. */
  readonly contenders: readonly Contender[];
  readonly bars: readonly Bar[];
  /** Default 7. `--rounds` on the command line wins. */
  readonly rounds?: number;
  /** For one process, default 120,000. */
  readonly deadlineMs?: number;
}

const quickRounds = 2;

/**
 * Runs every contender once a round, each in a fresh process, the order reversed in every other round, and
 * prints the spread of each figure. Takes `--rounds N`, `--json` (one JSON object on stdout instead of the
 * table), `--check` (exit code 1 when a bar is missed), `--quick` (2 rounds; handed on to the contenders, which
 * may measure for a shorter time) and `--only a,b` (no other contenders, and only the bars that can do without them)
 * from the command line. Progress goes to stderr.
 */
export async function alternate(full: Bench): Promise<void> {
  const { values } = parseArgs({
    options: {
      rounds: { type: 'string' },
      quick: { type: 'boolean' },
      json: { type: 'boolean' },
      check: { type: 'boolean' },
      only: { type: 'string' },
    },
  });
  const bench = values.only === undefined ? full : only(full, values.only.split(','));
  const wanted = Number(values.rounds ?? (values.quick ? quickRounds : (bench.rounds ?? 7)));
  if (!Number.isInteger(wanted) || wanted < 1)
    throw new RangeError(`--rounds is ${wanted}; it must be at least 1`);
  const load = loadavg()[0]!;
  const rounds: Round[] = [];
  for (let i = 0; i < wanted; i++) {
    rounds.push(await runRound(bench, i % 2 === 1, values.quick ? ['--quick'] : []));
    process.stderr.write(`round ${i + 1} of ${wanted}\n`);
  }
  const result: Result = {
    question: bench.question,
    doesNotMean: bench.doesNotMean,
    conditions: { node: process.version, cpu: cpus()[0]?.model, cpus: cpus().length, load, rounds: wanted },
    figures: bench.contenders.flatMap(({ name }) => figuresOf(name, rounds)),
    bars: bench.bars.map((bar) => hold(bar, rounds)),
  };
  process.stdout.write(values.json ? `${JSON.stringify(result)}\n` : table(result));
  if (values.check && result.bars.some((bar) => !bar.met)) process.exitCode = 1;
}

function only(bench: Bench, names: readonly string[]): Bench {
  const unknown = names.find((name) => !bench.contenders.some((contender) => contender.name === name));
  if (unknown !== undefined) {
    const known = bench.contenders.map(({ name }) => name).join(', ');
    throw new RangeError(`--only names ${unknown}; the contenders are ${known}`);
  }
  const contenders = bench.contenders.filter(({ name }) => names.includes(name));
  // a bar that reads a figure of a missing contender throws; which figures there are does not matter
  const figures = new Proxy({}, { get: () => 1 });
  const round: Round = Object.fromEntries(contenders.map(({ name }) => [name, figures]));
  const bars = bench.bars.filter((bar) => {
    try {
      return Number.isFinite(bar.of(round));
    } catch {
      return false;
    }
  });
  return { ...bench, contenders, bars };
}

async function runRound(bench: Bench, reversed: boolean, more: readonly string[]): Promise<Round> {
  const round: Record<string, Figures> = {};
  for (const contender of reversed ? bench.contenders.toReversed() : bench.contenders) {
    const args = [...(contender.args ?? []), ...more];
    round[contender.name] = await runFresh({ ...contender, args }, bench.deadlineMs ?? 120_000);
  }
  return round;
}

function figuresOf(contender: string, rounds: readonly Round[]): readonly Row[] {
  const names = new Set(rounds.flatMap((round) => Object.keys(round[contender] ?? {})));
  return [...names].map((figure) => {
    const values = rounds.map((round) => round[contender]?.[figure] ?? Number.NaN);
    return { what: `${contender} ${figure}`, values, ...spread(values) };
  });
}
