import { type Comparison, isChange, type Run } from '../result.js';
import { wholeText } from './number-text.js';
import { contendersOf, nodeCountsOf, type PhaseSummary } from './summary.js';

/** Share of a core above which the load generator is believed to have limited the run. */
const busy = 0.9;
/** Share of the fixed rate below which the latencies are those of an overload. */
const kept = 0.95;

/** Why figures may not mean what they seem to; empty when nothing is known against them. */
export function warningsOf(
  { conditions, runs }: Comparison,
  summaries: readonly PhaseSummary[],
): readonly string[] {
  return [
    ...generatorWarnings(runs),
    ...rateWarnings(runs, conditions.rate),
    ...refusedWarnings(runs),
    ...summaries.flatMap(steadyWarning),
    ...roundsWarning(conditions.rounds),
    ...conditions.missing.map((what) => `missing: ${what}`),
  ];
}

function generatorWarnings(runs: readonly Run[]): readonly string[] {
  const limited = runs.filter((run) => run.phase === 'saturation' && (run.generatorBusy ?? 0) > busy);
  return placesOf(limited).map(
    ({ place, rounds }) =>
      `${place}, saturated: the load generator was the bottleneck (over 90 % of its core, ${rounds}); ` +
      'the deliveries per second are those of the generator',
  );
}

function rateWarnings(runs: readonly Run[], rate: number): readonly string[] {
  const short = runs.filter((run) => run.phase === 'steady' && run.deliveriesPerSecond < kept * rate);
  return placesOf(short).map(
    ({ place, rounds }) =>
      `${place}, fixed rate: less than 95 % of ${wholeText(rate)} messages/s came (${rounds}); ` +
      'the latencies are those of an overload',
  );
}

function steadyWarning({ strategy, nodes, phase, rounds, figures }: PhaseSummary): readonly string[] {
  const measured = figures.secondsToSteady?.rounds ?? 0;
  if (!isChange(phase) || measured === rounds) return [];
  const figure = measured === 0 ? 'there is no figure' : 'the figure is theirs';
  return [
    `${strategy}, ${nodes} nodes, ${phase}: steady again in ${measured} of ${rounds} rounds only; ${figure}`,
  ];
}

function refusedWarnings(runs: readonly Run[]): readonly string[] {
  const refused = runs.filter((run) => run.phase === 'saturation' && run.refused > 0);
  return placesOf(refused).map(
    ({ place, rounds }) =>
      `${place}, saturated: messages were refused (${rounds}); what was under way was less than asked for`,
  );
}

function roundsWarning(rounds: number): readonly string[] {
  if (rounds >= 3) return [];
  if (rounds === 1) return ['one round: no spread; run without --quick to judge'];
  return [`${rounds} rounds: too few for a spread; run without --quick to judge`];
}

/** One line for each contender and node count, with the rounds concerned. */
function placesOf(runs: readonly Run[]): readonly { readonly place: string; readonly rounds: string }[] {
  return nodeCountsOf(runs).flatMap((nodes) =>
    contendersOf(runs).flatMap((strategy) => {
      const found = runs.filter((run) => run.strategy === strategy && run.nodes === nodes);
      if (found.length === 0) return [];
      const rounds = found.map(({ round }) => round).sort((a, b) => a - b);
      return [
        {
          place: `${strategy}, ${nodes} ${nodes === 1 ? 'node' : 'nodes'}`,
          rounds: `${rounds.length === 1 ? 'round' : 'rounds'} ${rounds.join(', ')}`,
        },
      ];
    }),
  );
}
