import { type Comparison, type Contender, isChange, type Phase } from '../result.js';
import { contenderName } from './contender-name.js';
import type { Figure } from './figure.js';
import { numberText, wholeText } from './number-text.js';
import type { Reading } from './reading.js';
import { contendersOf, figureIn, nodeCountsOf, type PhaseSummary } from './summary.js';

/** What the figures say, in a few sentences, of the most nodes that were measured; each as the median of its rounds. */
export function conclusionOf(
  { conditions, runs }: Comparison,
  summaries: readonly PhaseSummary[],
): readonly string[] {
  const nodes = nodeCountsOf(runs).at(-1);
  if (nodes === undefined) return ['Nothing ran.'];
  const each = (phase: Phase, name: Reading, show: (figure: Figure) => string): readonly Said[] =>
    contendersOf(runs).flatMap((strategy) => {
      const figure = figureIn(summaries, { strategy, nodes, phase }, name);
      return figure === undefined ? [] : [{ strategy, text: show(figure) }];
    });
  const median = (figure: Figure) => numberText(figure.median);
  const most = (figure: Figure) => numberText(figure.most);
  const cpu = each('saturation', 'cpu', median);
  const copies = each('saturation', 'messagesPerDelivery', median);
  const latency = each('steady', 'p99', median);
  const missed = each('kill', 'undelivered', most);
  const lost = each('kill', 'lost', most);
  const rate = `${wholeText(conditions.rate)} messages per second`;
  return [
    ...sentence(cpu, ' µs of CPU', (said) => `With ${counted(nodes)}, a message delivered costs ${said}.`),
    ...sentence(copies, '', (said) => `Between processes it is sent this many times: ${said}.`),
    ...sentence(latency, ' ms', (said) => `At ${rate}, 99 of 100 messages arrive within ${said}.`),
    ...sentence(
      missed,
      ' messages',
      (said) => `When a node is killed, the most that did not come is ${said}.`,
    ),
    ...sentence(
      lost,
      ' messages',
      (said) => `The most that never came though the sender was told that it had is ${said}.`,
    ),
    ...quietLosses(runs),
  ];
}

interface Said {
  readonly strategy: Contender;
  readonly text: string;
}

/** `4.1 ms by the ring, 6.0 by the registry and 8.2 by broadcast`. */
function sentence(said: readonly Said[], unit: string, make: (list: string) => string): readonly string[] {
  if (said.length === 0) return [];
  const parts = said.map(
    ({ strategy, text }, i) => `${text}${i === 0 ? unit : ''} by ${contenderName[strategy]}`,
  );
  const last = parts.at(-1)!;
  return [make(parts.length === 1 ? last : `${parts.slice(0, -1).join(', ')} and ${last}`)];
}

/** While the nodes did not change, nothing should be lost; it is said whether it was. */
function quietLosses(runs: Comparison['runs']): readonly string[] {
  const quiet = runs.filter(({ phase }) => !isChange(phase));
  if (quiet.length === 0) return [];
  const said = contendersOf(quiet).flatMap((strategy) => {
    const own = quiet.filter((run) => run.strategy === strategy);
    const lost = own.reduce((sum, run) => sum + run.lost, 0);
    return lost === 0 ? [] : [{ strategy, text: wholeText(lost) }];
  });
  if (said.length === 0) return ['While the nodes stayed the same, nothing was lost.'];
  return sentence(said, ' messages', (list) => `While the nodes stayed the same, this was lost: ${list}.`);
}

function counted(nodes: number): string {
  return `${nodes} ${nodes === 1 ? 'node' : 'nodes'}`;
}
